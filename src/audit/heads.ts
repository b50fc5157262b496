// The signed head of the log: made when the log has grown, proven to continue the one before, kept in the database's stead in the home.
import { join } from 'node:path'
import { type Clock, equalPublic, Failure, isFailure } from '#base'
import {
  createProver,
  Edge,
  EMPTY_ROOT,
  type LogHead,
  NOTE_BYTES_MAX,
  type Prover,
  signCheckpoint,
  verifyCheckpoint,
  verifyConsistency,
} from '#format/log'
import { readSmallFile, replaceFile } from './files.ts'
import type { LogKeys } from './keys.ts'
import type { LogRows } from './rows.ts'

export interface SignedHead extends LogHead {
  readonly bytes: Uint8Array
  /** Milliseconds since 1970. */
  readonly at: number
}

export function checkpointPath(home: string): string {
  return join(home, 'audit-checkpoint')
}

/** The last head that the home knows. `audit.tampered` when it is damaged or not signed by these keys. */
export async function readHead(home: string, keys: LogKeys): Promise<SignedHead | undefined> {
  const path = checkpointPath(home)
  const bytes = await readSmallFile(path, NOTE_BYTES_MAX)
  if (bytes === undefined) return undefined
  try {
    const { origin, size, root, signers } = verifyCheckpoint(bytes, keys.keys)
    if (origin !== keys.origin || signers.length < keys.keys.length) throw new Failure('audit.unsigned')
    const seconds = signers.find(({ time }) => time !== undefined)?.time ?? 0
    return { size, root, bytes, at: seconds * 1000 }
  } catch (error) {
    if (!isFailure(error, 'audit.framing') && !isFailure(error, 'audit.signature') && !isFailure(error, 'audit.unsigned')) throw error
    throw new Failure('audit.tampered', {
      detail: `The last signed head of the audit log was replaced or damaged: ${path}`,
      culprits: [path],
      cause: error,
    })
  }
}

/** Signs and keeps. The file is durable before anybody gets the head. */
export async function signHead(request: {
  readonly home: string
  readonly keys: LogKeys
  readonly head: LogHead
  readonly clock: Clock
}): Promise<SignedHead> {
  const { home, keys, head, clock } = request
  const seconds = Math.floor(clock.now() / 1000)
  const bytes = signCheckpoint({ origin: keys.origin, size: head.size, root: head.root.slice() }, keys.signers, seconds)
  await replaceFile(checkpointPath(home), bytes)
  return { ...head, bytes, at: seconds * 1000 }
}

export function emptyHead(): LogHead {
  return { size: 0, root: EMPTY_ROOT }
}

/**
 * Where the log ends now, once it is proven that it continues `last`: by the stored hashes, without reading all entries.
 * Throws `audit.tampered`, with the entries among which something is wrong where that is known.
 */
export async function continuedHead(
  rows: LogRows,
  keys: LogKeys,
  last: LogHead,
): Promise<{ readonly head: LogHead; readonly prover: Prover }> {
  const end = await rows.edge()
  if (end === undefined)
    throw tampered(
      last.size === 0 ? 'Its end is not in the database any more' : `Its ${last.size} entries are not in the database any more`,
    )
  if (end.origin !== keys.origin || end.vkeys !== keys.vkeys)
    throw tampered('The database holds a log of other keys than those of the home')
  if (end.size < last.size) throw tampered(`The log ends after ${end.size} entries, and ${last.size} were signed`)
  const prover = createProver(end.size, (tile) => rows.hashes(tile))
  try {
    const root = Edge.from(end.size, end.hashes).root()
    if (!equalPublic(root, await prover.root())) throw tampered('Its end does not fit the hashes of its entries')
    const proof = await prover.consistency(last.size)
    verifyConsistency({ from: last.size, fromRoot: last.root, size: end.size, root, proof })
    return { head: { size: end.size, root }, prover }
  } catch (error) {
    if (isFailure(error, 'audit.proof')) throw tampered(`Its first ${last.size} entries are not those that were signed`, error)
    if (isFailure(error, 'audit.framing')) throw tampered('Its stored hashes are damaged', error)
    throw error
  }
}

function tampered(what: string, cause?: unknown): Failure {
  return new Failure('audit.tampered', {
    detail: `The audit log was changed after the fact, or an older database was put back: ${what}.`,
    cause,
  })
}
