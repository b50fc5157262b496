// A client's way through an upload that goes on: begins it or finds it, proves its source, sends, and after every interruption goes on,
// for hours if need be. Pure: time, the source and the sending come from outside.
import { Failure, isFailure } from '#base'
import { failureOf, type Client } from './client.ts'
import type { Stored } from './schemas.ts'
import type { Upload } from './uploads.ts'

export interface ResumableSource {
  readonly path: string
  readonly sizeBytes: number
  readonly modified?: string | undefined
  readonly type?: string | undefined
  readonly ifAbsent: boolean
  /** Hex SHA-256 of its first `lengthBytes` bytes, to prove that it is the same. */
  proof(lengthBytes: number): Promise<string>
}

/** What people are told on the way. */
export type ResumeNews =
  | { readonly kind: 'begun'; readonly upload: Upload }
  /** An upload of another day, or of another program, goes on. */
  | { readonly kind: 'found'; readonly upload: Upload }
  /** What was stored is read back at the site. */
  | { readonly kind: 'checking'; readonly checkedBytes: number }
  /** The source is read again to prove that it is the same. */
  | { readonly kind: 'proving'; readonly offset: number }
  | { readonly kind: 'sending'; readonly offset: number }
  /** Too few locations could go on: from the first byte again. */
  | { readonly kind: 'anew' }
  /** Something is in the way that may pass; it is tried again. */
  | { readonly kind: 'waiting'; readonly error: unknown; readonly forMs: number }

export interface ResumeOptions {
  readonly client: Client
  readonly source: ResumableSource
  /** Sends from the offset; may send less than the rest, and is asked again then. */
  readonly send: (from: { readonly id: string; readonly turn: string; readonly offset: number }) => Promise<void>
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly now: () => number
  readonly signal: AbortSignal
  readonly tell: (news: ResumeNews) => void
  /** Errors besides those of the contract that may pass, such as a page that cannot reach its site. */
  readonly passes?: (error: unknown) => boolean
  /** Gives up when nothing has gone on for so long. */
  readonly patienceMs?: number
}

/** A SHA-256 under way. */
export interface PrefixHash {
  update(bytes: Uint8Array): unknown
  copy(): PrefixHash
  hex(): string
}

/**
 * `proof` of a source that gives its bytes from `from` up to `end`. What was hashed for one proof is not read again for a later one, or a link that
 * breaks all the time would have the whole source read each time.
 */
export function prefixProof(
  begin: () => PrefixHash | Promise<PrefixHash>,
  read: (from: number, end: number) => AsyncIterable<Uint8Array>,
): ResumableSource['proof'] {
  let known: { readonly length: number; readonly hash: PrefixHash } | undefined
  return async (lengthBytes) => {
    const from = known !== undefined && known.length <= lengthBytes ? known : { length: 0, hash: await begin() }
    const hash = from.hash.copy()
    for await (const part of read(from.length, lengthBytes)) hash.update(part)
    known = { length: lengthBytes, hash }
    return hash.copy().hex()
  }
}

const PATIENCE_MS = 24 * 3_600_000
const BACKOFF_MS = 500
const BACKOFF_MS_MAX = 60_000
const POLL_MS = 250
const POLL_MS_MAX = 2000
/** A site that answers so, unchanged, will not do better later. */
const FINAL = new Set(['storage.source-changed', 'storage.size-differs', 'storage.upload-absent'])

/** Brings the source into the vault. Throws what does not pass, and `base.cancelled`; then the upload may go on another time. */
export async function uploadResumably(options: ResumeOptions): Promise<Stored> {
  const { client, signal, tell } = options
  const run: Run = { id: undefined, turn: undefined, restarts: 0, busyAt: undefined }
  let [best, since, backoffMs] = [-1, options.now(), BACKOFF_MS]
  for (;;) {
    try {
      const upload = await standing(options, run)
      if (upload.state === 'done') return await client.finishUpload(upload.id, { turn: run.turn ?? upload.id }, { signal })
      if (upload.restarts > run.restarts) {
        run.restarts = upload.restarts
        best = -1
        tell({ kind: 'anew' })
      }
      const offset = upload.offset ?? 0
      if (offset > best) [best, since, backoffMs] = [offset, options.now(), BACKOFF_MS]
      if (offset === options.source.sizeBytes) return await client.finishUpload(upload.id, { turn: run.turn! }, { signal })
      tell({ kind: 'sending', offset })
      await options.send({ id: upload.id, turn: run.turn!, offset })
    } catch (error) {
      if (signal.aborted) throw new Failure('base.cancelled', { cause: error })
      if (!mayPass(error, options) || options.now() - since > (options.patienceMs ?? PATIENCE_MS)) throw error
      // Whoever else had the turn, or the site forgot it: asked anew.
      if (isFailure(error, 'storage.upload-busy')) {
        run.turn = undefined
        if (await othersSend(options, run)) throw error
      }
      tell({ kind: 'waiting', error, forMs: backoffMs })
      await options.sleep(backoffMs, signal)
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)
    }
  }
}

interface Run {
  id: string | undefined
  turn: string | undefined
  restarts: number
  /** Where it was when it was last found busy. */
  busyAt: number | undefined
}

/** True when somebody else brings it on meanwhile. A request of our own that still hangs does not. */
async function othersSend({ client, signal }: ResumeOptions, run: Run): Promise<boolean> {
  if (run.id === undefined) return false
  const { offset, state } = await client.unfinishedUpload(run.id, { signal }).catch(() => ({ offset: null, state: 'waiting' }) as const)
  const moved = state === 'sending' && run.busyAt !== undefined && offset !== null && offset > run.busyAt
  run.busyAt = offset ?? undefined
  return moved
}

/** The upload, ready to be sent by us: begun, found, woken, proven. */
async function standing(options: ResumeOptions, run: Run): Promise<Upload> {
  const { client, source, signal, tell } = options
  if (run.id === undefined) {
    const { path, sizeBytes: size, modified, type, ifAbsent } = source
    const { uploads } = await client.uploads({ path }, { signal })
    const same = uploads.filter((one) => one.state !== 'done' && one.size === size && one.modified === (modified ?? null))
    const found = same.find((one) => one.state !== 'sending' && one.state !== 'finishing') ?? same[0]
    if (found === undefined) {
      const begun = await client.beginUpload({ path, size, modified, type, ifAbsent }, { signal })
      run.id = begun.id
      run.turn = begun.turn
      tell({ kind: 'begun', upload: begun })
      return begun
    }
    tell({ kind: 'found', upload: found })
    run.id = found.id
    run.restarts = found.restarts
  }
  if (run.turn !== undefined) {
    const upload = await client.unfinishedUpload(run.id, { signal })
    if (upload.offset !== null) return upload
    // It was parked, or its site began anew: our turn is over.
    run.turn = undefined
  }
  const upload = await ready(options, run.id)
  if (upload.state === 'done') return upload
  const offset = upload.offset ?? 0
  if (offset > 0) tell({ kind: 'proving', offset })
  const taken = await client.takeUpload(run.id, { offset, sha256: await source.proof(offset) }, { signal })
  run.turn = taken.turn
  return taken
}

async function ready({ client, sleep, signal, tell }: ResumeOptions, id: string): Promise<Upload> {
  let upload = await client.wakeUpload(id, { signal })
  for (let pollMs = POLL_MS; upload.state === 'checking'; pollMs = Math.min(POLL_MS_MAX, pollMs * 1.5)) {
    tell({ kind: 'checking', checkedBytes: upload.checkedBytes })
    await sleep(pollMs, signal)
    upload = await client.unfinishedUpload(id, { signal })
  }
  if (upload.offset !== null) return upload
  throw upload.problem === null ? new Failure('storage.upload-busy', { detail: 'the upload was parked again' }) : failureOf(upload.problem)
}

function mayPass(error: unknown, options: ResumeOptions): boolean {
  if (!(error instanceof Failure)) return options.passes?.(error) === true
  return error.retry && !FINAL.has(error.code)
}
