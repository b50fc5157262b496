// Fragments that are still wanted stay locked: each lock is made longer well before it ends, where a location has locks.
import { Failure } from '#base'
import type { Status } from '#contract'
import { headName } from './head.ts'
import { DAY_MS, savePass } from './health-settings.ts'
import { coverage, placeOf, type SliceTools } from './health-scrub.ts'
import { within } from './patience.ts'
import { MARKER, type Place } from './place.ts'
import type { ScrubPassTable } from './tables-health.ts'
import type { Vault } from './vault.ts'

/** All locks are looked at so often within the shortest time that any is given. */
const LOOKS = 4
const PAGE_DEALS = 50
const MISSED = 'locks'

/** Brings the renewal of locks to where it should be by now; nothing where no location has any. */
export async function renewLocks(vault: Vault, tools: SliceTools): Promise<void> {
  const { db, clock, places } = vault.parts
  const locked = places.all.filter(({ location }) => location.extendLock !== undefined && location.lockDays !== undefined)
  if (locked.length === 0) return
  const row = await db.kysely.selectFrom('scrub_pass').selectAll().where('depth', '=', MISSED).executeTakeFirst()
  const every_ms = (Math.min(...locked.map(({ location }) => location.lockDays!)) * DAY_MS) / LOOKS
  let pass: ScrubPassTable = { ...fresh, ...row, every_ms }
  if (pass.cursor === null) {
    if (pass.began !== null && clock.now() < pass.began + every_ms) return
    pass = { ...pass, cursor: '', began: clock.now(), checked_fragments: 0, findings: 0 }
    const own = [MARKER, headName(vault.row.vault, vault.row.epoch)]
    for (const place of locked) for (const name of own) pass = await one(vault, pass, { place, name, signal: tools.signal })
    await savePass(db, pass)
  }
  while (pass.cursor !== null && !tools.signal.aborted) {
    const nowMs = clock.now()
    if (nowMs >= tools.untilMs || !(await tools.mayGoOn())) return
    if (placeOf(pass) > (nowMs - (pass.began ?? nowMs)) / every_ms) return
    const deals = await db.kysely
      .selectFrom('deal')
      .select('deal')
      .where('state', '=', 'stored')
      .where('deal', '>', pass.cursor)
      .orderBy('deal')
      .limit(PAGE_DEALS)
      .execute()
    const fragments =
      deals.length === 0
        ? []
        : await db.kysely
            .selectFrom('fragment')
            .select(['location', 'name'])
            .where('state', '=', 'held')
            .where(
              'deal',
              'in',
              deals.map(({ deal }) => deal),
            )
            .execute()
    for (const { location, name } of fragments) {
      const place = locked.find(({ id }) => id === location)
      if (place !== undefined && name !== null) pass = await one(vault, pass, { place, name, signal: tools.signal })
    }
    const last = deals.at(-1)?.deal ?? null
    pass = { ...pass, cursor: last, ...(last === null ? { finished: clock.now() } : {}) }
    await savePass(db, pass)
  }
}

/** What people are told when locks could not be made longer. */
export async function lockMessages(vault: Vault): Promise<Status['messages']> {
  const row = await vault.parts.db.kysely.selectFrom('scrub_pass').selectAll().where('depth', '=', MISSED).executeTakeFirst()
  const messages: Status['messages'] = []
  if (row === undefined) return messages
  if (row.findings > 0)
    messages.push({
      severity: 'warning',
      code: 'location.lock',
      text: `${row.findings === 1 ? 'one lock' : `${row.findings} locks`} could not be made longer.`,
      next: 'Give the credential of the location the right to extend locks (S3: s3:PutObjectRetention; Azure: immutability policies; Google: storage.objects.setRetention), and look whether the bucket or container still has them.',
    })
  if (row.began !== null && vault.parts.clock.now() - row.began > row.every_ms * 2 && coverage(row, vault.parts.clock.now()) < 1)
    messages.push({
      severity: 'warning',
      code: 'location.lock',
      text: 'the renewal of locks is behind its time, so some may end.',
      next: 'Let the site run, and take away what holds it up: quorate health schedule.',
    })
  return messages
}

async function one(
  vault: Vault,
  pass: ScrubPassTable,
  given: { readonly place: Place; readonly name: string; readonly signal: AbortSignal },
): Promise<ScrubPassTable> {
  const { clock, stallMs, log } = vault.parts
  const { place, name, signal } = given
  if (!place.usable) return pass
  try {
    const patience = { clock, ms: stallMs, label: place.label, signal }
    const answer = await within(patience, async (stop) => place.location.extendLock?.(name, { signal: stop }))
    const missed = answer === 'refused' ? 1 : 0
    return { ...pass, checked_fragments: pass.checked_fragments + 1, findings: pass.findings + missed }
  } catch (error) {
    if (signal.aborted || !(error instanceof Failure)) throw error
    // What is absent is found by the checks; a place that is away is told elsewhere, and asked again in the next pass.
    if (error.kind !== 'denied' && error.code !== 'location.absent') place.failed(error)
    log.warn({ location: place.label, code: error.code }, 'a lock could not be looked at')
    return error.kind === 'denied' ? { ...pass, findings: pass.findings + 1 } : pass
  }
}

const fresh: ScrubPassTable = {
  depth: MISSED,
  every_ms: DAY_MS,
  enabled: 1,
  cursor: null,
  began: null,
  finished: null,
  checked_fragments: 0,
  checked_bytes: 0,
  findings: 0,
}
