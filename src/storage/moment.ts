// A folder as it was at a moment: what would come back, then bringing it back. Nothing is destroyed by it.
import { Failure, rfc3339 } from '#base'
import type { MomentPlan } from '#contract'
import type { Kysely, Transaction } from '#database'
import { newId } from '#format'
import { addVersion } from './catalogue.ts'
import type { Findings, Progress } from './findings.ts'
import { heldBy, rulesOf } from './keeping.ts'
import { isBelow, isReserved, userPath } from './paths.ts'
import type { SiteCore } from './site-core.ts'
import type { StorageTables } from './tables.ts'
import { moveToTrash } from './trash.ts'

type Handle = Kysely<StorageTables> | Transaction<StorageTables>

/** Files of a folder, then and now. */
const FILES_MAX = 500_000
const SHOWN_MAX = 1000
const PAGE_ROWS = 500
const AT_ONCE = 100

interface Then {
  readonly path: string
  readonly file: string
  readonly number: number
  readonly deal: string
  readonly size: number
  readonly modified: string
}

interface Now {
  readonly path: string
  readonly file: string
  readonly number: number
  readonly deal: string
  readonly size: number
}

interface Changes {
  readonly returns: readonly Then[]
  readonly replaces: readonly { readonly old: Then; readonly now: Now }[]
  /** Files, and topmost folders that hold nothing of then. */
  readonly trashes: readonly { readonly path: string; readonly size: number }[]
  readonly doubtful: MomentPlan['doubtful']
  readonly unchanged: number
  readonly knownSince: string
}

/** What `restoreMoment` would do. Throws `storage.moment`, `storage.absent`, `storage.held` when something held would have to go. */
export async function planMoment(core: SiteCore, request: { readonly path: string; readonly at: string }): Promise<MomentPlan> {
  const path = userPath(request.path)
  const at = momentOf(request.at)
  const changes = await compare(core, { path, at })
  const { returns, replaces, trashes, doubtful, unchanged, knownSince } = changes
  return {
    path,
    at,
    knownSince,
    returns: returns.slice(0, SHOWN_MAX).map((then) => ({ path: then.path, size: then.size })),
    replaces: replaces
      .slice(0, SHOWN_MAX)
      .map(({ old, now }) => ({ path: old.path, size: old.size, from: now.number, version: old.file === now.file ? old.number : 0 })),
    trashes: trashes.slice(0, SHOWN_MAX),
    doubtful: doubtful.slice(0, SHOWN_MAX),
    counts: {
      returns: returns.length,
      replaces: replaces.length,
      trashes: trashes.length,
      unchanged,
      doubtful: doubtful.length,
    },
  }
}

/**
 * Makes the folder as it was: what stands there now and did not then goes into the trash, what was there comes back as a new version that names the
 * old dealing. In steps; cut off, it is begun again and does the rest.
 */
export async function restoreMoment(
  core: SiteCore,
  request: {
    readonly path: string
    readonly at: string
    readonly by: string
    readonly signal: AbortSignal
    readonly progress: Progress
    readonly findings: Findings
  },
): Promise<void> {
  const { db, clock } = core
  const path = userPath(request.path)
  const { returns, replaces, trashes, doubtful } = await compare(core, { path, at: momentOf(request.at) })
  for (const one of doubtful)
    request.findings.add({
      location: '',
      path: one.path,
      fragment: '',
      kind: 'incomplete',
      detail:
        one.why === 'gone'
          ? 'what it held at that moment is not kept any more'
          : 'the newest version that is kept from before that moment was taken',
    })
  const comes = [...returns, ...replaces.map(({ old }) => old)]
  request.progress.total(trashes.length + comes.length)
  const steps = async <T extends { readonly path: string }>(
    all: readonly T[],
    work: (tx: Transaction<StorageTables>, one: T, now: string) => Promise<unknown>,
  ): Promise<void> => {
    for (let from = 0; from < all.length; from += AT_ONCE) {
      if (request.signal.aborted) throw new Failure('base.cancelled')
      const some = all.slice(from, from + AT_ONCE)
      try {
        await db.transaction(async (tx) => {
          for (const one of some) await work(tx, one, rfc3339(clock.now()))
        })
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        // One of them is not as it was when we looked: each for itself, and the others all the same.
        for (const one of some)
          try {
            await db.transaction((tx) => work(tx, one, rfc3339(clock.now())))
          } catch (alone) {
            if (!(alone instanceof Failure)) throw alone
            request.findings.add({ location: '', path: one.path, fragment: '', kind: 'conflict', detail: alone.message })
          }
      }
      request.progress.add(some.length)
    }
  }
  await steps(trashes, (tx, one, now) => moveToTrash(tx, { path: one.path, recursive: true, by: request.by, at: now }))
  await steps(comes, async (tx, one, now) => {
    const deal = await tx.selectFrom('deal').selectAll().where('deal', '=', one.deal).where('state', '=', 'stored').executeTakeFirst()
    if (deal === undefined) throw new Failure('storage.absent', { detail: `what ${one.path} held is not kept any more` })
    await addVersion(tx, { path: one.path, file: newId(), deal, created: now, modified: one.modified, ifAbsent: false })
  })
}

async function compare(core: SiteCore, { path, at }: { readonly path: string; readonly at: string }): Promise<Changes> {
  const { db, clock } = core
  const now = rfc3339(clock.now())
  const knownSince = (await db.kysely.selectFrom('history').select('since').executeTakeFirst())?.since ?? now
  if (at < knownSince)
    throw new Failure('storage.moment', {
      detail: `the names of this vault are known from ${knownSince.slice(0, 16).replace('T', ' ')} UTC on`,
      next: 'Choose a later moment; single versions go back further.',
    })
  if (at > now) throw new Failure('storage.moment', { detail: 'that moment has not come yet', next: 'Choose one that is past.' })
  const doubtful: { path: string; why: 'gone' | 'older' }[] = []
  const then = await filesThen(db.kysely, { path, at, doubtful })
  const present = await filesNow(db.kysely, path)
  if (then.size === 0 && present.length === 0 && path !== '/' && doubtful.length === 0) await requireKnown(db.kysely, path)
  const standing = new Map(present.map((one) => [one.path, one]))
  const returns: Then[] = []
  const replaces: { old: Then; now: Now }[] = []
  let unchanged = 0
  for (const one of then.values()) {
    const here = standing.get(one.path)
    if (here === undefined) returns.push(one)
    else if (here.deal === one.deal) unchanged += 1
    else replaces.push({ old: one, now: here })
  }
  const gone = new Set(doubtful.filter(({ why }) => why === 'gone').map((one) => one.path))
  // What was there, and is doubtful, stays as it is.
  const surplus = present.filter((one) => !then.has(one.path) && !gone.has(one.path))
  const trashes = await topmost(db.kysely, { path, at, surplus, keep: [...then.keys(), ...gone] })
  const rules = await rulesOf(db.kysely)
  for (const one of trashes) {
    const hold = rules.holdAround(one.path, now)
    if (hold !== undefined) throw heldBy(hold)
  }
  return {
    returns: returns.toSorted(byPath),
    replaces: replaces.toSorted((a, b) => byPath(a.old, b.old)),
    trashes,
    doubtful: doubtful.toSorted(byPath),
    unchanged,
    knownSince,
  }
}

/** Files below a folder at a moment, by path, each with the version that was current. */
async function filesThen(
  db: Handle,
  request: { readonly path: string; readonly at: string; readonly doubtful: { path: string; why: 'gone' | 'older' }[] },
): Promise<Map<string, Then>> {
  const { path, at } = request
  const [from, to] = rangeBelow(path)
  const paths = new Map<string, string>()
  for (const table of ['file', 'past_name'] as const) {
    for (let after = { path: '', file: '' }; ;) {
      const rows =
        table === 'file'
          ? await db
              .selectFrom('file')
              .select(['file', 'path'])
              .where('path', '>=', from)
              .where('path', '<', to)
              .where('path', '>', after.path)
              .where('since', '<=', at)
              .orderBy('path')
              .limit(PAGE_ROWS)
              .execute()
          : await db
              .selectFrom('past_name')
              .select(['file', 'path'])
              .where('path', '>=', from)
              .where('path', '<', to)
              .where((eb) => eb.or([eb('path', '>', after.path), eb.and([eb('path', '=', after.path), eb('file', '>', after.file)])]))
              .where('since', '<=', at)
              .where('until', '>', at)
              .orderBy('path')
              .orderBy('file')
              .limit(PAGE_ROWS)
              .execute()
      for (const row of rows) if (!isReserved(row.path)) paths.set(row.file, row.path)
      if (paths.size > FILES_MAX) throw tooMany(path)
      const last = rows.at(-1)
      if (rows.length < PAGE_ROWS || last === undefined) break
      after = last
    }
  }
  const then = new Map<string, Then>()
  const ids = [...paths.keys()]
  for (let begin = 0; begin < ids.length; begin += PAGE_ROWS) {
    const rows = await db
      .selectFrom('file_version as v')
      .innerJoin('deal as d', 'd.deal', 'v.deal')
      .select(['v.file', 'v.number', 'v.deal', 'v.at', 'v.modified', 'd.size'])
      .where('v.file', 'in', ids.slice(begin, begin + PAGE_ROWS))
      .orderBy('v.file')
      .orderBy('v.number')
      .execute()
    const byFile = Map.groupBy(rows, ({ file }) => file)
    for (const file of ids.slice(begin, begin + PAGE_ROWS)) {
      const versions = byFile.get(file) ?? []
      const where = paths.get(file)!
      const current = versions.findLastIndex((one) => one.at <= at)
      if (current === -1) {
        request.doubtful.push({ path: where, why: 'gone' })
        continue
      }
      const { number, deal, size, modified } = versions[current]!
      const next = versions[current + 1]
      // Numbers follow one another: where one is missing, it may have been the one of that moment.
      if (next !== undefined && next.number !== number + 1) request.doubtful.push({ path: where, why: 'older' })
      then.set(where, { path: where, file, number, deal, size, modified })
    }
  }
  return then
}

async function filesNow(db: Handle, path: string): Promise<Now[]> {
  const [from, to] = rangeBelow(path)
  const all: Now[] = []
  for (let after = ''; ;) {
    const rows = await db
      .selectFrom('file as f')
      .innerJoin('file_version as v', (join) => join.onRef('v.file', '=', 'f.file').onRef('v.number', '=', 'f.current'))
      .innerJoin('deal as d', 'd.deal', 'v.deal')
      .select(['f.path', 'f.file', 'v.number', 'v.deal', 'd.size'])
      .where('f.path', '>=', from)
      .where('f.path', '<', to)
      .where('f.path', '>', after)
      .orderBy('f.path')
      .limit(PAGE_ROWS)
      .execute()
    all.push(...rows.filter((row) => !isReserved(row.path)))
    if (all.length > FILES_MAX) throw tooMany(path)
    if (rows.length < PAGE_ROWS) return all
    after = rows[rows.length - 1]!.path
  }
}

/** Surplus files, gathered into the topmost folders that were made since and hold nothing that is to stay. */
async function topmost(
  db: Handle,
  request: {
    readonly path: string
    readonly at: string
    readonly surplus: readonly Now[]
    readonly keep: readonly string[]
  },
): Promise<{ path: string; size: number }[]> {
  const [from, to] = rangeBelow(request.path)
  const stay = new Set<string>()
  for (const path of request.keep) for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) stay.add(at)
  const made = await db
    .selectFrom('folder')
    .select('path')
    .where('path', '>=', from)
    .where('path', '<', to)
    .orderBy('path')
    .limit(FILES_MAX)
    .execute()
  // A folder where a file stood then has to go whole, whenever it was made.
  const files = new Set(request.keep)
  const since = await db
    .selectFrom('folder')
    .select('path')
    .where('path', '>=', from)
    .where('path', '<', to)
    .where('created', '>', request.at)
    .execute()
  const young = new Set(since.map(({ path }) => path))
  const whole: string[] = []
  for (const { path } of made) {
    if (isReserved(path) || whole.some((top) => isBelow(path, top))) continue
    if (files.has(path) || (young.has(path) && !stay.has(path))) whole.push(path)
  }
  const tops = new Set(whole)
  const sizes = new Map<string, number>(whole.map((path) => [path, 0]))
  const single: { path: string; size: number }[] = []
  for (const one of request.surplus) {
    let top: string | undefined
    for (let at = one.path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) if (tops.has(at)) top = at
    if (top === undefined) single.push({ path: one.path, size: one.size })
    else sizes.set(top, sizes.get(top)! + one.size)
  }
  return [...whole.map((path) => ({ path, size: sizes.get(path)! })), ...single].toSorted(byPath)
}

/** Nothing then and nothing now: is there such a folder at all? */
async function requireKnown(db: Handle, path: string): Promise<void> {
  if ((await db.selectFrom('folder').select('path').where('path', '=', path).executeTakeFirst()) !== undefined) return
  throw new Failure('storage.absent', {
    detail: `there is no folder ${path}, and there was none at that moment`,
    next: 'List the folder above it.',
  })
}

function momentOf(given: string): string {
  const ms = Date.parse(given)
  if (Number.isNaN(ms)) throw new Failure('storage.moment', { detail: 'this is not a moment', next: 'Write it like 2026-03-01T12:00:00Z.' })
  return rfc3339(ms)
}

function rangeBelow(path: string): readonly [string, string] {
  return path === '/' ? ['/', '0'] : [`${path}/`, `${path}0`]
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0
}

function tooMany(path: string): Failure {
  return new Failure('api.limit', { detail: `${path} has more than ${FILES_MAX} files`, next: 'Restore its folders one by one.' })
}
