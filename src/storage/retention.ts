// What is past its time by the rules of keeping: old versions and entries of the trash. First a plan, then the deed.
import type { PurgePlan } from '#contract'
import { Failure, rfc3339 } from '#base'
import { type Kysely, sql, type Transaction } from '#database'
import { removeEntry } from './catalogue.ts'
import { provenDeletion } from './deletion.ts'
import type { Findings, Progress } from './findings.ts'
import { type Rules, rulesOf } from './keeping.ts'
import { isReserved } from './paths.ts'
import type { SiteCore } from './site-core.ts'
import type { StorageTables } from './tables.ts'
import { expiryOf, listTrash, removeFromTrash } from './trash.ts'

type Handle = Kysely<StorageTables> | Transaction<StorageTables>

const DAY_MS = 86_400_000
const SHOWN_MAX = 1000
const PAGE_ROWS = 500

interface ExpiredVersion {
  readonly file: string
  readonly path: string
  readonly number: number
  readonly size: number
  readonly created: string
  readonly replaced: string
}

/** What a purge at this moment would remove, and what a hold keeps from it. Changes nothing. */
export async function planPurge(db: Handle, nowMs: number): Promise<PurgePlan> {
  const now = rfc3339(nowMs)
  const rules = await rulesOf(db)
  const trash: PurgePlan['trash'] = []
  const versions: PurgePlan['versions'] = []
  const counts = { trash: 0, versions: 0, held: 0 }
  let bytes = 0
  for (let after: string | undefined; ;) {
    const page = await listTrash(db, { limit: PAGE_ROWS, now, after })
    for (const entry of page.entries) {
      if (entry.expires > now) continue
      if (entry.heldUntil !== null) {
        counts.held += 1
        continue
      }
      counts.trash += 1
      bytes += entry.bytes
      if (trash.length < SHOWN_MAX) trash.push(entry)
    }
    if (page.next === null) break
    after = page.next
  }
  for await (const { version, held } of expiredVersions(db, { rules, nowMs })) {
    if (held) {
      counts.held += 1
      continue
    }
    counts.versions += 1
    bytes += version.size
    const { file: _, ...shown } = version
    if (versions.length < SHOWN_MAX) versions.push(shown)
  }
  return { trash, versions, counts, bytes }
}

/** Removes what is past its time, each thing looked at again at its own turn; answers how many. Cancelled, what is done stays done. */
export async function purge(
  core: SiteCore,
  request: { readonly by: string; readonly signal: AbortSignal; readonly progress: Progress; readonly findings: Findings },
): Promise<number> {
  const { db, clock } = core
  let done = 0
  const plan = await planPurge(db.kysely, clock.now())
  request.progress.total(plan.counts.trash + plan.counts.versions)
  const goOn = (): void => {
    if (request.signal.aborted) throw new Failure('base.cancelled')
    request.progress.add(1)
    done += 1
  }
  const nowMs = clock.now()
  const at = rfc3339(nowMs)
  const rules = await rulesOf(db.kysely)
  const ids = await db.kysely.selectFrom('trash').selectAll().orderBy('at').execute()
  for (const row of ids) {
    if (expiryOf(row, rules) > at || rules.holdAround(row.path, at) !== undefined) continue
    goOn()
    await settle(request.findings, row.path, () =>
      db.transaction((tx) =>
        removeFromTrash(tx, {
          id: row.id,
          now: at,
          dropped: provenDeletion({ path: row.path, what: row.kind, reason: 'expired', by: request.by, at }),
        }),
      ),
    )
  }
  for await (const { version, held } of expiredVersions(db.kysely, { rules, nowMs })) {
    if (held) continue
    goOn()
    await settle(request.findings, version.path, () =>
      db.transaction(async (tx) => {
        const file = await tx.selectFrom('file').selectAll().where('file', '=', version.file).executeTakeFirst()
        // Moved, removed or rolled back meanwhile: the next purge looks at it again.
        if (file === undefined || file.path !== version.path || file.current <= version.number) return
        const dropped = provenDeletion({ path: file.path, what: 'version', reason: 'expired', by: request.by, at })
        await removeEntry(tx, { path: file.path, recursive: false, version: version.number, dropped })
        await forgetOldNames(tx, file.file)
      }),
    )
  }
  return done
}

/** Names from before the oldest version that is kept tell of nothing that could come back. */
async function forgetOldNames(tx: Transaction<StorageTables>, file: string): Promise<void> {
  const oldest = await tx
    .selectFrom('file_version')
    .select((eb) => eb.fn.min('at').as('at'))
    .where('file', '=', file)
    .executeTakeFirst()
  if (oldest?.at) await tx.deleteFrom('past_name').where('file', '=', file).where('until', '<=', oldest.at).execute()
}

/** Something that is gone already, or held since, is no failure of the rest. */
async function settle(findings: Findings, path: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Failure) || (error.kind !== 'absent' && error.code !== 'storage.held')) throw error
    if (error.code === 'storage.held') findings.add({ location: '', path, fragment: '', kind: 'conflict', detail: error.message })
  }
}

/**
 * Versions that were replaced so long ago that the rules of their folder keep them no longer, and that are not among its newest. A version counts
 * from the moment at which another took its place.
 */
async function* expiredVersions(
  db: Handle,
  { rules, nowMs }: { readonly rules: Rules; readonly nowMs: number },
): AsyncGenerator<{ readonly version: ExpiredVersion; readonly held: boolean }> {
  const now = rfc3339(nowMs)
  const known = (await db.selectFrom('history').select('since').executeTakeFirst())?.since ?? now
  for (let after = ''; ;) {
    const files = await db
      .selectFrom('file_version')
      .select('file')
      .where('file', '>', after)
      .groupBy('file')
      .having(sql<number>`count(*)`, '>', 1)
      .orderBy('file')
      .limit(PAGE_ROWS)
      .execute()
    if (files.length === 0) return
    after = files[files.length - 1]!.file
    const rows = await db
      .selectFrom('file_version as v')
      .innerJoin('file as f', 'f.file', 'v.file')
      .innerJoin('deal as d', 'd.deal', 'v.deal')
      .select(['v.file', 'f.path', 'v.number', 'v.at', 'v.created', 'd.size'])
      .where(
        'v.file',
        'in',
        files.map(({ file }) => file),
      )
      .orderBy('v.file')
      .orderBy('v.number', 'desc')
      .execute()
    for (const versions of Map.groupBy(rows, ({ file }) => file).values()) {
      const { path } = versions[0]!
      // What lies in the trash goes as a whole.
      if (isReserved(path)) continue
      const keeping = rules.of(path)
      for (let at = Math.max(1, keeping.versionsMin); at < versions.length; at++) {
        const { file, number, size, created } = versions[at]!
        // Before the vault kept this time, nobody could know how long the rules would keep a version.
        const newer = versions[at - 1]!.at
        const replaced = newer > known ? newer : known
        if (Date.parse(replaced) + keeping.versionsDays * DAY_MS > nowMs) continue
        yield { version: { file, path, number, size, created, replaced }, held: keeping.holdUntil !== null && keeping.holdUntil > now }
      }
    }
  }
}
