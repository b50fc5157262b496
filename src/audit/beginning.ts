// What a start finds: a log that goes on, a home that has none yet, or one that is not what was signed.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, Failure, isFailure } from '#base'
import { Edge } from '#format/log'
import { putAside } from './files.ts'
import { checkpointPath, continuedHead, emptyHead, readHead, signHead, type SignedHead } from './heads.ts'
import { keysPath, type LogKeys, makeKeys, readKeys } from './keys.ts'
import { type AuditStore, createRows, type LogRows } from './rows.ts'

/** A log that can be continued. */
export interface SoundLog {
  readonly kind: 'sound'
  readonly generation: number
  readonly rows: LogRows
  readonly keys: LogKeys
  readonly signed: SignedHead
}

/** One that cannot. It can still be read. */
export interface TamperedLog {
  readonly kind: 'tampered'
  readonly generation: number
  readonly rows: LogRows
  /** The last head, where there is one that is genuine. */
  readonly signed: SignedHead | undefined
  readonly failure: Failure
}

export interface BeginRequest {
  readonly db: AuditStore
  readonly home: string
  readonly clock: Clock
}

export async function openLog(request: BeginRequest): Promise<SoundLog | TamperedLog> {
  const { db, home } = request
  const newest = await db.kysely
    .selectFrom('audit_edge')
    .select(['generation', 'size'])
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirst()
  let keys: LogKeys | undefined
  let signed: SignedHead | undefined
  try {
    keys = await readKeys(home)
    if (keys === undefined) {
      if ((newest !== undefined && newest.size > 0) || existsSync(checkpointPath(home)))
        throw lost('The keys of the audit log are gone', keysPath(home))
      return await beginLog(request, (newest?.generation ?? 0) + 1)
    }
    if (newest !== undefined && newest.generation > keys.generation)
      throw lost('The keys in the home are those of an older audit log than the one in the database', keysPath(home))
    signed = await readHead(home, keys)
    const here = newest?.generation === keys.generation
    if (signed === undefined) {
      if (here) throw lost('The last signed head of the audit log is gone', checkpointPath(home))
      // Cut off between the keys and the first head: nothing was signed by them, and nothing ever will be.
      return await beginLog(request, keys.generation)
    }
    const rows = createRows(db, keys.generation)
    if (!here && signed.size === 0) await insertEdge(db, keys)
    const { head } = await continuedHead(rows, keys, signed)
    const beyond = await db.kysely
      .selectFrom('audit_leaf')
      .select('idx')
      .where('generation', '=', keys.generation)
      .where('idx', '>=', head.size)
      .limit(1)
      .executeTakeFirst()
    if (beyond !== undefined)
      throw new Failure('audit.tampered', {
        detail: `The audit log was changed after the fact: there is an entry ${beyond.idx} behind its end.`,
      })
    return { kind: 'sound', generation: keys.generation, rows, keys, signed }
  } catch (error) {
    if (!isFailure(error, 'audit.tampered') && !isFailure(error, 'audit.key')) throw error
    const generation = keys?.generation ?? newest?.generation ?? 1
    return { kind: 'tampered', generation, rows: createRows(db, generation), signed, failure: error }
  }
}

/** A new log, empty. Keys first, then the signed empty head, then the row: entries come after all three. */
export async function beginLog({ db, home, clock }: BeginRequest, generation: number): Promise<SoundLog> {
  const keys = await makeKeys(home, generation)
  const signed = await signHead({ home, keys, head: emptyHead(), clock })
  await insertEdge(db, keys)
  return { kind: 'sound', generation, rows: createRows(db, generation), keys, signed }
}

/** What is left of a log that cannot be continued stays in the home, under names of its own. */
export async function putLogAside(home: string, stamp: string): Promise<void> {
  await putAside(checkpointPath(home), join(home, `audit-checkpoint.${stamp}`))
  await putAside(keysPath(home), join(home, `audit-keys.${stamp}.json`))
}

async function insertEdge(db: AuditStore, { generation, origin, vkeys }: LogKeys): Promise<void> {
  await db.kysely.insertInto('audit_edge').values({ generation, origin, vkeys, size: 0, hashes: new Edge().bytes() }).execute()
}

function lost(what: string, path: string): Failure {
  return new Failure('audit.tampered', { detail: `${what}: ${path}`, culprits: [path] })
}
