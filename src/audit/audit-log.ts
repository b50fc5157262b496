// The audit log of a site: writes what happened before anything comes of it, and proves that nothing was changed since.
import { join } from 'node:path'
import { type Clock, equalPublic, Failure, isFailure, rfc3339, toBase64, utf8 } from '#base'
import type { AuditConsistency, AuditEntry, AuditHead, AuditPage, AuditFilter, AuditStep, EraseRequest } from '#contract'
import type { Database, Transaction } from '#database'
import {
  copyLog,
  createProver,
  Edge,
  encodePersonalLine,
  encodeReceipt,
  leafHash,
  type LogFiles,
  parsePersonal,
  verifyInclusion,
} from '#format/log'
import { appendRows, type AuditTx } from './appending.ts'
import { beginLog, openLog, putLogAside, type SoundLog, type TamperedLog } from './beginning.ts'
import { type AuditActor, type AuditEvent, prepare } from './event.ts'
import { continuedHead, signHead, type SignedHead } from './heads.ts'
import { judgeRows } from './judging.ts'
import { createOpenings } from './openings.ts'
import { createQueue } from './queue.ts'
import { createRefusals } from './refusals.ts'

import { folderTarget } from './static-files.ts'
import type { AuditTables } from './tables.ts'

export interface AuditOptions {
  /** Of the site, migrated. */
  readonly db: Database<AuditTables>
  readonly clock: Clock
  /** Folder of the site, where the keys and the last signed head lie. */
  readonly home: string
  readonly log?: { error(fields: object, message: string): void } | undefined
  /** Told when the log is found to be changed after the fact, once for each finding. */
  readonly alarm?: ((failure: Failure) => void) | undefined
}

/** Who asks, for what is itself written down. */
export interface By {
  readonly actor: AuditActor
}

export interface AuditLog {
  /**
   * Durable when it resolves; the order of the places is the order of the tree. Refusals that repeat are counted (see refusals.ts).
   * `audit.tampered` where the log cannot be continued: then nothing may come of what was to be written.
   */
  append(event: AuditEvent): Promise<{ readonly index: number }>
  /** The same inside a transaction of the caller's, which must be one of the site's database: written if and only if that commits. Nothing is counted here. */
  appendIn<Tables>(tx: Transaction<Tables>, events: readonly AuditEvent[]): Promise<readonly { readonly index: number }[]>
  /** One entry for an actor and a version of an object in 15 minutes; resolves when that entry is durable. */
  opening(event: AuditEvent): Promise<{ readonly index: number }>
  /** What this actor, or everybody, opens next is written anew. */
  revoked(actorId?: string): void
  /** Newest first. */
  entries(query: AuditFilter): Promise<AuditPage>
  /** One entry, or `audit.absent`. */
  entry(index: number): Promise<AuditEntry>
  /** The signed head, signed anew when the log has grown, with what is known to be wrong. Never refused. */
  head(): Promise<AuditHead>
  /** The signed head as a note. */
  checkpoint(): Promise<Uint8Array>
  /** A receipt of one entry (c2sp.org/tlog-proof). `audit.absent` when there is none. */
  inclusion(index: number): Promise<Uint8Array>
  consistency(from: number): Promise<AuditConsistency>
  /** A file of the log below its prefix: `checkpoint`, `tile/...`. Undefined for what a log of this size does not have. */
  file(path: string): Promise<Uint8Array | undefined>
  /** Lines of the personal fields, in the order of the entries. */
  personal(signal?: AbortSignal): AsyncGenerator<Uint8Array>
  /** Personal fields of all entries of or about a person, or about an object, are gone when it resolves; the entries still verify. */
  erase(request: EraseRequest & By): Promise<{ readonly entries: number }>
  /** Recomputes everything from the rows; the last step is the verdict. */
  verify(request: { readonly signal?: AbortSignal | undefined }): AsyncGenerator<AuditStep>
  /** Copies the log as static files into `audit/` of the home; what lies there already is kept. */
  exportFiles(request?: { readonly signal?: AbortSignal | undefined }): Promise<{ readonly folder: string; readonly size: number }>
  /** A new log, where the one before cannot be continued. Its first entry says which one that was. */
  restart(request: By & { readonly reason: string }): Promise<AuditHead>
  /** Writes what is counted, signs the last head. Nothing is written afterwards. */
  close(): Promise<void>
}

/** A head follows the entries by so much, so that an older copy of the database is noticed at the next start. */
const SIGN_AFTER_MS = 2_000
const PAGE = 500
const SITE: AuditActor = { kind: 'site', id: 'site', name: 'the site' }

interface Damage {
  readonly detail: string
  readonly first: number
  readonly last: number
}

/** Opens the log of a home, or makes it. A log that was changed after the fact opens too, for reading. */
export async function openAudit({ db, clock, home, log, alarm }: AuditOptions): Promise<AuditLog> {
  const stop = new AbortController()
  let current: SoundLog | TamperedLog = await openLog({ db, home, clock })
  let damage: Damage | undefined
  let verifying = false
  let signing = false

  function raise(failure: Failure): void {
    log?.error({ code: failure.code, detail: failure.message }, 'the audit log was changed after the fact')
    alarm?.(failure)
  }

  function sound(): SoundLog {
    if (current.kind === 'sound') return current
    const { code, message, culprits } = current.failure
    throw new Failure(code, { detail: message, culprits, next: NEXT, cause: current.failure })
  }

  function lose(failure: Failure): void {
    if (current.kind === 'tampered') return
    current = { kind: 'tampered', generation: current.generation, rows: current.rows, signed: current.signed, failure }
    raise(failure)
  }

  const queue = createQueue(async (entries) => {
    const { generation } = sound()
    try {
      const places = await db.transaction((tx) => appendRows(tx, generation, entries))
      grown()
      return places
    } catch (error) {
      if (isFailure(error, 'audit.tampered')) lose(error)
      throw error
    }
  })
  const written = (event: AuditEvent, count = 1): Promise<number> => queue.append(prepare(event, clock.now(), count))
  const openings = createOpenings(written, () => clock.now())
  const refusals = createRefusals({
    append: written,
    now: () => clock.now(),
    wait: (ms) => clock.sleep(ms, stop.signal),
    lost: (error) => log?.error({ error: String(error) }, 'counted refusals could not be written to the audit log'),
  })

  /** Signs a head a little later, once for all that comes until then. */
  function grown(): void {
    if (signing || stop.signal.aborted) return
    signing = true
    clock
      .sleep(SIGN_AFTER_MS, stop.signal)
      .then(() => {
        signing = false
        return freshHead()
      })
      .catch((error: unknown) => {
        if (!isFailure(error, 'base.cancelled')) log?.error({ error: String(error) }, 'the head of the audit log could not be signed')
      })
      .finally(() => {
        signing = false
      })
  }

  let turn: Promise<unknown> = Promise.resolve()
  /** Heads are signed one after the other: each continues the one before. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work, work)
    turn = mine.catch(() => {})
    return mine
  }

  function freshHead(): Promise<SignedHead> {
    return inTurn(async () => {
      const now = sound()
      const end = await now.rows.edge()
      // As long and with the same root: nothing to sign. As long with another root is looked at below.
      if (end?.size === now.signed.size && equalPublic(rootOf(end), now.signed.root)) return now.signed
      try {
        const { head } = await continuedHead(now.rows, now.keys, now.signed)
        const signed = await signHead({ home, keys: now.keys, head, clock })
        current = { ...now, signed }
        return signed
      } catch (error) {
        if (isFailure(error, 'audit.tampered')) lose(error)
        throw error
      }
    })
  }

  async function head(): Promise<AuditHead> {
    if (current.kind === 'sound') {
      try {
        await freshHead()
      } catch (error) {
        if (!isFailure(error, 'audit.tampered')) throw error
      }
    }
    const now = current
    const end = now.kind === 'sound' ? undefined : await now.rows.edge()
    const { signed } = now
    const wrong = damage
    return {
      origin: now.kind === 'sound' ? now.keys.origin : (end?.origin ?? ''),
      size: now.kind === 'sound' ? now.signed.size : Math.max(0, end?.size ?? 0),
      root: signed === undefined ? '' : toBase64(signed.root),
      at: rfc3339(signed?.at ?? 0),
      vkeys: (now.kind === 'sound' ? now.keys.vkeys : (end?.vkeys ?? '')).split('\n').filter((line) => line !== ''),
      checkpoint: signed === undefined ? '' : new TextDecoder().decode(signed.bytes),
      state: now.kind === 'tampered' ? 'tampered' : wrong === undefined ? 'sound' : 'damaged',
      problem:
        now.kind === 'tampered'
          ? { detail: now.failure.message, next: NEXT }
          : wrong === undefined
            ? null
            : { ...wrong, next: NEXT_DAMAGED },
    }
  }

  async function file(path: string): Promise<Uint8Array | undefined> {
    if (path === 'checkpoint') return (await freshHead()).bytes
    const end = await current.rows.edge()
    return end === undefined ? undefined : current.rows.file(path, end.size)
  }

  async function entry(index: number): Promise<AuditEntry> {
    const { entries } = await current.rows.entries({ after: String(index + 1), limit: 1 })
    const [found] = entries
    if (found?.index !== index) throw absent(index)
    return found
  }

  async function* verify({ signal }: { readonly signal?: AbortSignal | undefined }): AsyncGenerator<AuditStep> {
    const ended = new AbortController()
    if (verifying) throw new Failure('audit.busy', { detail: 'The log is being verified already.', next: 'Wait for its verdict.' })
    verifying = true
    try {
      const now = sound()
      const signed = await freshHead()
      let next: AuditStep | undefined
      let wake = Promise.withResolvers<void>()
      const state = { over: false }
      const judged = judgeRows(db, {
        generation: now.generation,
        signed,
        signal: AbortSignal.any([stop.signal, ended.signal, ...(signal === undefined ? [] : [signal])]),
        progress: (done, total) => {
          next = { kind: 'progress', done, total }
          wake.resolve()
        },
      }).finally(() => {
        state.over = true
        wake.resolve()
      })
      judged.catch(() => {})
      while (!state.over) {
        await wake.promise
        wake = Promise.withResolvers<void>()
        if (next !== undefined) yield next
        next = undefined
      }
      const { size, root, problem, ...counts } = await judged
      if (problem !== undefined) await found(problem)
      else damage = undefined
      yield { kind: 'verdict', size, root: toBase64(root), ...counts, problem: problem ?? null }
    } finally {
      ended.abort()
      verifying = false
    }
  }

  /** Rows that are wrong do not stop the log: its head stands, and the finding becomes an entry. */
  async function found(problem: Damage): Promise<void> {
    const { first, last, detail } = problem
    const known = damage
    damage = { first, last, detail }
    if (known?.first === first && known.last === last) return
    raise(new Failure('audit.tampered', { detail: `The audit log was changed after the fact: ${detail}.` }))
    try {
      await written({ kind: 'alarm', actor: SITE, outcome: 'failed', code: 'audit.tampered', detail: { first, last, detail } })
    } catch (error) {
      // A log that cannot be continued is said by its state.
      if (!isFailure(error, 'audit.tampered')) throw error
    }
  }

  async function erase(request: EraseRequest & By): Promise<{ readonly entries: number }> {
    const now = sound()
    const { actor, reason } = request
    const at = rfc3339(clock.now())
    const entries = await db.transaction(async (tx) => {
      const known = 'person' in request ? await tx.selectFrom('audit_actor').selectAll().where('actor', '=', request.person).execute() : []
      const pseudonyms = known.map(({ pseudonym }) => pseudonym)
      const { numUpdatedRows } = await tx
        .updateTable('audit_personal')
        .set({ salt: null, fields: null, erased: at })
        .where('erased', 'is', null)
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('audit_leaf')
              .select('audit_leaf.idx')
              .whereRef('audit_leaf.generation', '=', 'audit_personal.generation')
              .whereRef('audit_leaf.idx', '=', 'audit_personal.idx')
              .where((leaf) =>
                'object' in request
                  ? leaf('audit_leaf.object', '=', request.object)
                  : pseudonyms.length === 0
                    ? leaf('audit_leaf.idx', '<', 0)
                    : leaf.or([leaf('audit_leaf.actor', 'in', pseudonyms), leaf('audit_leaf.subject', 'in', pseudonyms)]),
              ),
          ),
        )
        .executeTakeFirst()
      const count = Number(numUpdatedRows)
      const [pseudonym = ''] = pseudonyms
      const detail = { reason, entries: count, ...('object' in request ? { object: request.object } : { pseudonym }) }
      await appendRows(tx, now.generation, [prepare({ kind: 'erase', actor, outcome: 'done', detail }, clock.now())])
      if (pseudonyms.length > 0) await tx.deleteFrom('audit_actor').where('pseudonym', 'in', pseudonyms).execute()
      return count
    })
    grown()
    return { entries }
  }

  async function restart({ actor, reason }: By & { readonly reason: string }): Promise<AuditHead> {
    return inTurn(async () => {
      if (current.kind === 'sound')
        throw new Failure('base.invalid', { detail: 'The audit log can be continued; there is no reason to begin another.' })
      const { generation, signed, rows, failure } = current
      const end = await rows.edge()
      const newest = await db.kysely
        .selectFrom('audit_edge')
        .select((eb) => eb.fn.max('generation').as('generation'))
        .executeTakeFirst()
      await putLogAside(home, rfc3339(clock.now()).replaceAll(/[:.]/g, '-'))
      current = await beginLog({ db, home, clock }, Math.max(generation, newest?.generation ?? 0) + 1)
      damage = undefined
      const detail = {
        reason,
        why: failure.message,
        formerOrigin: end?.origin ?? '',
        formerEntries: end?.size ?? 0,
        formerSigned: signed?.size ?? 0,
        formerRoot: signed === undefined ? '' : toBase64(signed.root),
      }
      await written({ kind: 'restart', actor, outcome: 'done', code: 'audit.tampered', detail })
    }).then(head)
  }

  async function* personal(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { generation, rows } = current
    const end = await rows.edge()
    for (let after = -1; ;) {
      if (signal?.aborted === true) throw new Failure('base.cancelled')
      const page = await db.kysely
        .selectFrom('audit_personal')
        .selectAll()
        .where('generation', '=', generation)
        .where('idx', '>', after)
        .where('idx', '<', end?.size ?? 0)
        .orderBy('idx')
        .limit(PAGE)
        .execute()
      for (const { idx, salt, fields, erased } of page) {
        if (erased !== null) yield encodePersonalLine({ index: idx, erased })
        else if (salt !== null && fields !== null)
          yield encodePersonalLine({ index: idx, salt: toBase64(salt), fields: parsePersonal(utf8(fields)) })
      }
      if (page.length < PAGE) return
      after = page.at(-1)?.idx ?? after
    }
  }

  if (current.kind === 'tampered') raise(current.failure)
  else if (current.generation > 1 && current.signed.size === 0 && (await current.rows.edge())?.size === 0)
    await written({ kind: 'restart', actor: SITE, outcome: 'done', detail: { reason: 'the program ended while it began this log' } })

  return {
    append: async (event) => ({ index: await (event.outcome === 'refused' ? refusals.refused(event) : written(event)) }),
    appendIn: async (tx, events) => {
      const { generation } = sound()
      const at = clock.now()
      const places = await appendRows(
        tx as unknown as AuditTx,
        generation,
        events.map((event) => prepare(event, at)),
      )
      grown()
      return places.map((index) => ({ index }))
    },
    opening: async (event) => {
      // One that is covered by an older entry writes nothing, and is refused all the same.
      sound()
      return { index: await openings.opening(event) }
    },
    revoked: (actorId) => openings.revoked(actorId),
    entries: (query) => current.rows.entries(query),
    entry,
    head,
    checkpoint: async () => (await freshHead()).bytes,
    inclusion: async (index) => {
      const now = sound()
      const signed = await freshHead()
      const leaf = Number.isSafeInteger(index) && index >= 0 && index < signed.size ? await now.rows.leaf(index) : undefined
      if (leaf === undefined) throw absent(index)
      const proof = await createProver(signed.size, (tile) => now.rows.hashes(tile)).inclusion(index)
      try {
        verifyInclusion({ index, size: signed.size, hash: leafHash(leaf), proof, root: signed.root })
      } catch (error) {
        if (!isFailure(error, 'audit.proof')) throw error
        const detail = `entry ${index} is not the one that was signed, or a hash beside it is not`
        await found({ first: index, last: index, detail })
        throw new Failure('audit.tampered', { detail: `The audit log was changed after the fact: ${detail}.`, cause: error })
      }
      return encodeReceipt({ extra: leaf as Uint8Array<ArrayBuffer>, index, proof, checkpoint: signed.bytes as Uint8Array<ArrayBuffer> })
    },
    consistency: async (from) => {
      const now = sound()
      const signed = await freshHead()
      if (from > signed.size) throw new Failure('audit.absent', { detail: `The log has ${signed.size} entries, not ${from}.` })
      const proof = await createProver(signed.size, (tile) => now.rows.hashes(tile)).consistency(from)
      return { from, size: signed.size, proof: proof.map(toBase64), checkpoint: new TextDecoder().decode(signed.bytes) }
    },
    file,
    personal,
    erase,
    verify,
    exportFiles: async ({ signal } = {}) => {
      const now = sound()
      const signed = await freshHead()
      const folder = join(home, 'audit', now.keys.origin.replaceAll('/', '-'))
      const files: LogFiles = { read: (path) => now.rows.file(path, signed.size) }
      const { bytes, size } = signed
      await copyLog({ from: files, to: folderTarget(folder), checkpoint: bytes, size, vkeys: now.keys.vkeys, signal })
      return { folder, size }
    },
    restart,
    close: async () => {
      stop.abort()
      if (current.kind === 'tampered') return
      try {
        await refusals.flush()
        await queue.idle()
        await freshHead()
      } catch (error) {
        // The next start finds the same, and says so.
        if (!isFailure(error)) throw error
        log?.error({ code: error.code, detail: error.message }, 'the audit log could not be closed as it should')
      }
    },
  }
}

/** No bytes, which equal no root, where what is stored is no edge. */
function rootOf({ size, hashes }: { readonly size: number; readonly hashes: Uint8Array }): Uint8Array {
  try {
    return Edge.from(size, hashes).root()
  } catch (error) {
    if (isFailure(error, 'audit.framing')) return new Uint8Array(0)
    throw error
  }
}

const NEXT =
  'Nothing is written, and nothing opens, until a person has looked: put back the database and the files of the home of the same moment, or begin a new log with: quorate audit restart'
const NEXT_DAMAGED = 'Compare with a copy of the log that was exported before; the entries outside are proven by the signed head.'

function absent(index: number): Failure {
  return new Failure('audit.absent', { detail: `The audit log has no entry ${index}.` })
}
