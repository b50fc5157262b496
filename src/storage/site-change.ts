// Changing the vault as people ask for it: the wanted shape is set in one transaction, and the work follows it.
import { Failure, limits, rfc3339 } from '#base'
import type { ChangePreview, ChangeRequest, ChangeStatus, PreviewRequest, Status, SteerRequest } from '#contract'
import { dealable } from '#format'
import { countDue, NO_RESHAPE, readReshape, type Wanted, wantedOf } from './change-plan.ts'
import { parseCapabilities } from './enrolment.ts'
import type { Place } from './place.ts'
import type { Running, SiteCore } from './site-core.ts'
import { monthlyCost } from './site-planner.ts'
import type { DealTable } from './tables.ts'
import type { ReshapeTable } from './tables-change.ts'

const WAITS_MAX = 20
const DAY_MS = 24 * 3600_000
/** A location that is to be left by a date is a warning this long before, and an alarm in the last part of it. */
const LEAVE_WARNING_DAYS = 30
const LEAVE_ALARM_DAYS = 7

export function siteChange(core: SiteCore) {
  return {
    change: (): Promise<ChangeStatus> => changeStatus(core),
    previewChange: (request: PreviewRequest): Promise<ChangePreview> => preview(core, request),
    requestChange: (request: ChangeRequest): Promise<ChangeStatus> => begin(core, request),
    steerChange: (request: SteerRequest): Promise<ChangeStatus> => steer(core, request),
  }
}

/** What a request makes of the vault. */
interface Goal {
  readonly k: number
  readonly layout: DealTable['layout']
  readonly active: readonly Place[]
  readonly leave: readonly { readonly place: Place; readonly by: string | null; readonly abandon: boolean }[]
  readonly stay: readonly Place[]
  /** Locations that are still to be added. */
  readonly adding: number
}

/** Throws when the vault could not be so. */
async function goalOf(core: SiteCore, request: PreviewRequest): Promise<Goal> {
  const { vault, places } = core.open()
  const k = request.threshold ?? vault.row.threshold
  const layout = request.layout ?? vault.row.layout
  const leave = (request.leave ?? []).map(({ location, by, abandon }) => ({
    place: places.named(location),
    by: by ?? null,
    abandon: abandon === true,
  }))
  const stay = (request.stay ?? []).map((location) => places.named(location))
  for (const place of stay)
    if (places.departure(place.id) === 'emptying')
      throw new Failure('base.invalid', {
        detail: `${place.label} is being emptied already`,
        next: 'Let it go, then add the place anew.',
        culprits: [place.label],
      })
  const both = leave.find(({ place }) => stay.includes(place))
  if (both !== undefined) throw new Failure('base.invalid', { detail: `${both.place.label} cannot both leave and stay` })
  const active = places.all.filter(
    (place) => (places.departure(place.id) === undefined || stay.includes(place)) && !leave.some((one) => one.place === place),
  )
  const adding = request.adding ?? 0
  const n = active.length + adding
  if (n > limits.countMax) throw new Failure('crypto.threshold', { detail: `a vault has at most ${limits.countMax} locations` })
  if (n < k)
    throw new Failure('storage.few-locations', {
      detail: `${n} locations would be left, and ${k} must come together to open a file`,
      culprits: leave.map(({ place }) => place.label),
      next: 'Add a location first, or choose a smaller threshold in the same change.',
    })
  if (!dealable(k, n))
    throw new Failure('crypto.threshold', {
      detail: `${k} of ${n} is not offered: after a disaster the search would take too long`,
      next: 'Choose a smaller threshold or fewer locations.',
    })
  await requireHonest(core, { active, leave: leave.map(({ place }) => place), adding })
  return { k, layout, active, leave, stay, adding }
}

/** Heads are agreed upon by locations that keep what create-if-absent promises: the last of them must not go. */
async function requireHonest(
  core: SiteCore,
  { active, leave, adding }: { readonly active: readonly Place[]; readonly leave: readonly Place[]; readonly adding: number },
): Promise<void> {
  if (leave.length === 0 || adding > 0) return
  const rows = await core.db.kysely.selectFrom('location').select(['location', 'capabilities']).execute()
  const honest = new Set(
    rows.flatMap(({ location, capabilities }) => (parseCapabilities(capabilities)?.honestCreate === true ? [location] : [])),
  )
  const known = active.every(({ id }) => parseCapabilities(rows.find(({ location }) => location === id)?.capabilities) !== null)
  if (!known || active.some(({ id }) => honest.has(id)) || !leave.some(({ id }) => honest.has(id))) return
  throw new Failure('storage.last-honest', {
    detail: 'no location would be left that never writes over what it holds',
    culprits: leave.filter(({ id }) => honest.has(id)).map(({ label }) => label),
    next: 'Add such a location first (quorate location test says which are).',
  })
}

async function preview(core: SiteCore, request: PreviewRequest): Promise<ChangePreview> {
  const { vault, places, reshaping } = core.open()
  const goal = await goalOf(core, request)
  const reshape = await readReshape(core.db.kysely)
  const due = await countDue(core.db.kysely, wantedBy(core, request, goal, reshape))
  const before = { threshold: vault.row.threshold, count: places.active.length, layout: vault.row.layout }
  const after = { threshold: goal.k, count: goal.active.length + goal.adding, layout: goal.layout }
  const [spareBefore, spareAfter] = [before.count - before.threshold, after.count - after.threshold]
  const rate = reshape.bytes_per_second > 0 ? reshape.bytes_per_second : (reshaping.task?.bytesPerSecond ?? 0)
  const warnings: ChangePreview['warnings'] = []
  if (spareAfter === 0) warnings.push('no-redundancy')
  if (after.threshold < before.threshold) warnings.push('fewer-collude')
  if (request.refresh === 'shares' && after.layout === 'sealed' && due.steps.reshare > 0) warnings.push('sealed-bodies-stay')
  if (goal.leave.length > 0 && request.refresh === undefined && after.threshold === before.threshold && after.layout === before.layout)
    warnings.push('what-left-stays-valid')
  if (goal.active.some(({ view }) => view.presence !== 'present')) warnings.push('location-away')
  const monthly = {
    before: await monthlyCost(core, { k: before.threshold, layout: before.layout, ids: places.active.map(({ id }) => id) }),
    // What a location costs that is still to be added is not known.
    after: goal.adding > 0 ? null : await monthlyCost(core, { k: goal.k, layout: goal.layout, ids: goal.active.map(({ id }) => id) }),
  }
  return {
    before: { ...before, spare: spareBefore },
    after: { ...after, spare: spareAfter },
    spareMeanwhile: Math.min(spareBefore, spareAfter),
    objects: due.deals,
    steps: due.steps,
    bytes: due.bytes,
    monthly,
    seconds: due.bytes === 0 ? 0 : rate > 0 ? Math.ceil(due.bytes / rate) : null,
    warnings,
  }
}

function wantedBy(core: SiteCore, request: PreviewRequest, goal: Goal, reshape: ReshapeTable): Wanted {
  const now = rfc3339(core.clock.now() + 1)
  return {
    k: goal.k,
    layout: goal.layout,
    active: [...goal.active.map(({ id }) => id), ...Array.from({ length: goal.adding }, (_, index) => `+${index}`)],
    renewBefore: request.refresh === 'shares' ? now : reshape.renew_before,
    anewBefore: request.refresh === 'keys' ? now : reshape.anew_before,
  }
}

async function begin(core: SiteCore, request: ChangeRequest): Promise<ChangeStatus> {
  const running = core.open()
  const { vault, places, reshaping, log } = running
  vault.parts.signer()
  const goal = await goalOf(core, request)
  if (goal.k < vault.row.threshold) await log.promise(goal.k)
  // Of the same instant may be what was dealt just before; what follows is drawn later or dated so.
  const instant = rfc3339(core.clock.now() + 1)
  await core.db.transaction(async (tx) => {
    const reshape = (await tx.selectFrom('reshape').selectAll().executeTakeFirst()) ?? {
      ...NO_RESHAPE,
      head_threshold: vault.row.threshold,
    }
    for (const { place, by, abandon } of goal.leave) {
      await tx
        .insertInto('leaving')
        .values({ location: place.id, phase: 'leaving', leave_by: by, abandoned: abandon ? 1 : 0 })
        .onConflict((oc) =>
          oc
            .column('location')
            .doUpdateSet({ ...(by === null ? {} : { leave_by: by }), ...(abandon ? { abandoned: 1 } : {}), location: place.id }),
        )
        .execute()
    }
    for (const place of goal.stay) await tx.deleteFrom('leaving').where('location', '=', place.id).execute()
    await tx.updateTable('vault').set({ threshold: goal.k, layout: goal.layout }).execute()
    await tx.deleteFrom('reshape').execute()
    await tx
      .insertInto('reshape')
      .values({
        ...reshape,
        state: 'running',
        renew_before: request.refresh === 'shares' ? instant : reshape.renew_before,
        anew_before: request.refresh === 'keys' ? instant : reshape.anew_before,
        started: rfc3339(core.clock.now()),
        bytes_done: 0,
        bytes_total: 0,
        catalogue_due: reshape.catalogue_due + 1,
      })
      .execute()
  })
  vault.row = { ...vault.row, threshold: goal.k, layout: goal.layout }
  log.promiseKept()
  for (const { place } of goal.leave) if (places.departure(place.id) === undefined) places.depart(place.id, 'leaving')
  for (const place of goal.stay) places.depart(place.id, undefined)
  await reshaping.apply()
  return changeStatus(core)
}

async function steer(core: SiteCore, request: SteerRequest): Promise<ChangeStatus> {
  const { reshaping, vault } = core.open()
  if (request.state === 'running') vault.parts.signer()
  await core.db.transaction(async (tx) => {
    const standing = await tx.selectFrom('reshape').selectAll().executeTakeFirst()
    if (request.state !== undefined && (standing === undefined || standing.state === 'idle'))
      throw new Failure('storage.absent', { detail: 'no change is under way', next: 'Ask for one: quorate change --help.' })
    const row = standing ?? { ...NO_RESHAPE, head_threshold: vault.row.threshold }
    await tx.deleteFrom('reshape').execute()
    await tx
      .insertInto('reshape')
      .values({ ...row, state: request.state ?? row.state, bytes_per_second: request.bytesPerSecond ?? row.bytes_per_second })
      .execute()
  })
  await reshaping.apply()
  return changeStatus(core)
}

async function changeStatus(core: SiteCore): Promise<ChangeStatus> {
  const { vault, places, reshaping } = core.open()
  const db = core.db.kysely
  const row = await readReshape(db)
  const due = await countDue(db, wantedOf(vault.row, row, places.active))
  const shapes = await db
    .selectFrom('deal')
    .select(['k', 'n', 'layout', (eb) => eb.fn.countAll<number>().as('objects')])
    .where('state', '=', 'stored')
    .where('purpose', '=', 'file')
    .groupBy(['k', 'n', 'layout'])
    .orderBy('objects', 'desc')
    .execute()
  const { task } = reshaping
  const active = task?.state === 'running'
  const count = places.active.length
  return {
    state: row.state,
    started: row.started,
    wanted: { threshold: vault.row.threshold, count, layout: vault.row.layout, spare: count - vault.row.threshold },
    due: { objects: due.deals, bytes: due.bytes, steps: due.steps },
    bytesDone: row.bytes_done,
    bytesTotal: row.bytes_total,
    bytesPerSecond: row.bytes_per_second,
    rate: active ? task.bytesPerSecond : 0,
    remainingSeconds: active && row.state === 'running' ? task.remainingSeconds : null,
    task: active ? task.id : null,
    shapes: shapes.map((one) => ({ threshold: one.k, count: one.n, layout: one.layout, objects: one.objects })),
    leaving: await leavingOf(core),
    waits: active || row.state !== 'running' ? [] : waitsOf(task),
  }
}

function waitsOf(task: Running['reshaping']['task']): string[] {
  const told = [
    ...(task?.report?.findings.map(({ detail }) => detail) ?? []),
    ...(task?.problem === null || task === undefined ? [] : [task.problem.detail]),
  ]
  return [...new Set(told)].slice(0, WAITS_MAX)
}

async function leavingOf(core: SiteCore): Promise<ChangeStatus['leaving']> {
  const { places } = core.open()
  const rows = await core.db.kysely.selectFrom('leaving').selectAll().execute()
  if (rows.length === 0) return []
  const held = await core.db.kysely
    .selectFrom('fragment')
    .innerJoin('deal', 'deal.deal', 'fragment.deal')
    .select(['fragment.location', (eb) => eb.fn.countAll<number>().as('fragments'), (eb) => eb.fn.sum<number>('fragment.size').as('bytes')])
    .where('deal.state', '=', 'stored')
    .where(
      'fragment.location',
      'in',
      rows.map(({ location }) => location),
    )
    .groupBy('fragment.location')
    .execute()
  return rows.map((row) => {
    const needed = held.find(({ location }) => location === row.location)
    return {
      location: row.location,
      label: places.byId(row.location)?.label ?? row.location,
      phase: row.phase,
      by: row.leave_by,
      abandoned: row.abandoned === 1,
      fragments: needed?.fragments ?? 0,
      bytes: needed?.bytes ?? 0,
    }
  })
}

/** What the status of the vault says of a change: dates that come near, and a mixture that stays. */
export async function changeMessages(core: SiteCore): Promise<Status['messages']> {
  const messages: Status['messages'] = []
  for (const { label, by, fragments } of await leavingOf(core)) {
    if (by === null) continue
    const days = (Date.parse(by) - core.clock.now()) / DAY_MS
    if (days > LEAVE_WARNING_DAYS) continue
    const when = days < 0 ? `was to be left by ${by.slice(0, 10)}` : `is to be left by ${by.slice(0, 10)}`
    messages.push({
      severity: days <= LEAVE_ALARM_DAYS ? 'alarm' : 'warning',
      code: 'storage.leave-by',
      text: `${label} ${when}, and ${fragments === 1 ? 'one fragment is' : `${fragments} fragments are`} still needed there.`,
      next: 'See what the change waits for: quorate change status.',
    })
  }
  const { state } = await readReshape(core.db.kysely)
  if (state === 'cancelled')
    messages.push({
      severity: 'hint',
      code: 'storage.change',
      text: 'A change was cancelled: some objects have the new shape, some the old one.',
      next: 'Go on (quorate change resume), or ask for the old shape again.',
    })
  return messages
}
