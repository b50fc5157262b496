// What an interrupted write left at its locations, read back and judged record by record: where it can go on, and with whom.
import { type Clock, Failure, limits, toHex } from '#base'
import { type Sha256, sha256Stream } from '#crypto/primitives'
import {
  type Arena,
  type DealingBefore,
  type DealSpec,
  findUnfinished,
  type Head,
  paddedLength,
  parseHead,
  recordShape,
  type RecordShape,
  SALT_BYTES,
  type UnfinishedDealing,
  type UnfinishedFragment,
} from '#format'
import type { UnfinishedWrite } from './location.ts'
import type { WriteTarget } from './object-writer.ts'
import { within } from './patience.ts'

export interface GoingOn {
  readonly target: WriteTarget
  readonly unfinished: UnfinishedWrite
  /** Bytes of the fragment that stay. */
  readonly keptBytes: number
}

export interface ReadBack {
  readonly before: DealingBefore
  /** Over the first `sizeBytes` bytes of the content. */
  readonly hash: Sha256
  readonly sizeBytes: number
  readonly going: readonly GoingOn[]
  /** Locations that cannot go on; repair fills them afterwards. */
  readonly left: readonly { readonly target: WriteTarget; readonly failure: Failure }[]
}

export interface ReadBackRequest {
  /** Of n rows. */
  readonly arena: Arena
  readonly spec: Omit<DealSpec, 'rng' | 'ext'>
  readonly targets: readonly WriteTarget[]
  /** Of the whole content. */
  readonly sizeBytes: number
  readonly quorum: number
  readonly stallMs: number
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((checkedBytes: number) => void) | undefined
}

/** A location that lags further behind than this is left to repair; one that lags less sets the others back. */
const BEHIND_BYTES_MAX = 256 * 2 ** 20
/** Records fetched at once from each location, and once more while these are judged. */
const RECORDS_AHEAD = 8

/**
 * Reads everything that is left, at all locations, and judges every record. Undefined when nothing can go on, even with locations that are
 * away now: the upload begins anew. Throws `storage.quorum` when it could go on with those. The caller closes what goes on.
 */
export async function readBack(request: ReadBackRequest): Promise<ReadBack | undefined> {
  const shape = recordShape(request.spec, paddedLength(request.sizeBytes))
  const found = await Promise.all(request.targets.map((target) => adopt(request, target, shape)))
  const left = new Map<WriteTarget, Failure>()
  for (const one of found) if (one.kind === 'left') left.set(one.target, one.failure)
  const whole = found.filter((one) => one.kind === 'adopted')
  const tracks = oneSet(whole)
  for (const one of whole) if (!tracks.includes(one)) left.set(one.target, notOurs(one.target))
  const going: GoingOn[] = []
  try {
    if (tracks.length < request.quorum) return nothing(request, tracks.length, left)
    const judged = await judge(request, tracks, left)
    if (judged === undefined) return nothing(request, 0, left)
    const { dealing, ends, hashes } = judged
    const base = [...ends.values()].toSorted((a, b) => b - a)[request.quorum - 1] ?? 0
    const behindMax = Math.ceil(BEHIND_BYTES_MAX / shape.chunkBytes)
    const taking = tracks.filter(
      (track) => (ends.get(track) ?? 0) > 0 && (ends.get(track) ?? 0) >= base - behindMax && !left.has(track.target),
    )
    const records = Math.min(...taking.map((track) => ends.get(track) ?? 0))
    const hash = hashes.get(records)
    if (taking.length < request.quorum || records === 0 || hash === undefined) {
      dealing.wipe()
      return nothing(request, 0, left)
    }
    for (const track of tracks) if (!taking.includes(track) && !left.has(track.target)) left.set(track.target, behind(track.target))
    const before = dealing.before(
      records,
      taking.map(({ fragment }) => fragment),
    )
    dealing.wipe()
    for (const { target, unfinished, headBytes } of taking)
      going.push({ target, unfinished, keptBytes: headBytes + shape.recordOffset(records) })
    return {
      before,
      hash,
      sizeBytes: records * shape.chunkBytes,
      going,
      left: [...left].map(([target, failure]) => ({ target, failure })),
    }
  } finally {
    await Promise.all(whole.filter(({ target }) => !going.some((one) => one.target === target)).map(({ unfinished }) => unfinished.close()))
  }
}

interface Track {
  readonly kind: 'adopted'
  readonly target: WriteTarget
  readonly unfinished: UnfinishedWrite
  readonly head: Head
  readonly headBytes: number
  /** Whole records that it may hold. */
  readonly records: number
  readonly fragment: UnfinishedFragment
}

type Found = Track | { readonly kind: 'left'; readonly target: WriteTarget; readonly failure: Failure }

async function adopt(request: ReadBackRequest, target: WriteTarget, shape: RecordShape): Promise<Found> {
  const { clock, stallMs: ms, signal, spec } = request
  const { place, name } = target
  const patience = { clock, ms, label: place.label, signal }
  let unfinished: UnfinishedWrite | undefined
  try {
    if (!place.usable) throw new Failure('location.unreachable', { detail: place.view.detail, culprits: [place.label] })
    unfinished = await within({ ...patience, late: (late) => late?.close() }, async (stop) =>
      place.location.adopt?.(name, { signal: stop }),
    )
    if (unfinished === undefined) throw gone(target)
    const there = unfinished
    const front = new Uint8Array(Math.min(there.sizeBytes, limits.headBytesMax))
    await within(patience, (stop) => there.read(0, front, { signal: stop }))
    const head = parseHead(front)
    const { common, x } = head
    const asAsked =
      x === target.x &&
      (['suite', 'k', 'n', 'chunkLog2', 'vault', 'object', 'version'] as const).every((field) => common[field] === spec[field])
    if (!asAsked) throw notOurs(target)
    const headBytes = head.bytes.length
    const most = Math.min(shape.m - 1, Math.floor(request.sizeBytes / shape.chunkBytes))
    const records = Math.min(most, Math.floor((there.sizeBytes - headBytes) / shape.recordBytes(0)))
    return { kind: 'adopted', target, unfinished, head, headBytes, records, fragment: { location: place.id, head, row: x - 1 } }
  } catch (error) {
    if (signal?.aborted) throw new Failure('base.cancelled')
    await unfinished?.close()
    if (!(error instanceof Failure)) throw error
    if (error.code.startsWith('location.') && error.kind === 'unavailable') place.failed(error)
    return { kind: 'left', target, failure: error }
  }
}

/** The largest group of fragments that say to be of one set. */
function oneSet(tracks: readonly Track[]): readonly Track[] {
  const sets = Map.groupBy(tracks, ({ head }) => toHex(head.commonBytes))
  return [...sets.values()].toSorted((a, b) => b.length - a.length)[0] ?? []
}

/** Reads on until fewer than the quorum are left. `ends`: how many records of each location stand; `hashes` at each of these. */
async function judge(
  request: ReadBackRequest,
  tracks: readonly Track[],
  left: Map<WriteTarget, Failure>,
): Promise<
  | { readonly dealing: UnfinishedDealing; readonly ends: ReadonlyMap<Track, number>; readonly hashes: ReadonlyMap<number, Sha256> }
  | undefined
> {
  const { arena, quorum, signal, onProgress, sizeBytes } = request
  const slot = arena.slots[0]!
  const recordBytes = recordShape(request.spec, paddedLength(sizeBytes)).recordBytes(0)
  const readers = new Map(tracks.map((track) => [track, new Ahead(request, track, recordBytes)]))
  const hash = sha256Stream()
  const ends = new Map<Track, number>()
  const hashes = new Map<number, Sha256>()
  let live = [...tracks]
  let dealing: UnfinishedDealing | undefined
  let j = 0
  const end = (track: Track): void => {
    ends.set(track, j)
    hashes.set(j, hash.copy())
  }
  for (; live.length >= quorum; j++) {
    if (signal?.aborted) throw new Failure('base.cancelled')
    const having: Track[] = []
    await Promise.all(
      live.map(async (track) => {
        try {
          const record = await readers.get(track)!.record(j)
          if (record === undefined) return
          arena.kernel.memory.set(record, slot.bodies[track.fragment.row]! - SALT_BYTES)
          having.push(track)
        } catch (error) {
          if (signal?.aborted) throw new Failure('base.cancelled')
          if (!(error instanceof Failure)) throw error
          track.target.place.failed(error)
          left.set(track.target, error)
        }
      }),
    )
    having.sort((a, b) => a.target.x - b.target.x)
    if (having.length < request.spec.k) break
    dealing ??= findUnfinished(arena, slot, { fragments: having.map(({ fragment }) => fragment), sizeBytes })
    const taken = dealing?.take(having.map(({ fragment }) => fragment))
    if (taken === undefined) break
    const next = having.filter(({ fragment }) => taken.good.includes(fragment))
    for (const track of live) if (!next.includes(track)) end(track)
    hash.update(taken.plain)
    live = next
    onProgress?.((j + 1) * 2 ** request.spec.chunkLog2)
  }
  for (const track of live) end(track)
  await Promise.all([...readers.values()].map((reader) => reader.settled()))
  return dealing === undefined ? undefined : { dealing, ends, hashes }
}

/** Records of one fragment in order, the next ones fetched while these are judged. */
class Ahead {
  readonly #request: ReadBackRequest
  readonly #track: Track
  readonly #recordBytes: number
  #batch: { readonly first: number; readonly bytes: Promise<Uint8Array> } | undefined
  #next: { readonly first: number; readonly bytes: Promise<Uint8Array> } | undefined

  constructor(request: ReadBackRequest, track: Track, recordBytes: number) {
    this.#request = request
    this.#track = track
    this.#recordBytes = recordBytes
  }

  async record(j: number): Promise<Uint8Array | undefined> {
    if (j >= this.#track.records) return undefined
    if (this.#batch === undefined || j >= this.#batch.first + RECORDS_AHEAD) {
      this.#batch = this.#next ?? this.#fetch(j)
      this.#next = this.#batch.first + RECORDS_AHEAD < this.#track.records ? this.#fetch(this.#batch.first + RECORDS_AHEAD) : undefined
    }
    const bytes = await this.#batch.bytes
    const at = (j - this.#batch.first) * this.#recordBytes
    return bytes.subarray(at, at + this.#recordBytes)
  }

  /** Nothing is read any more. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#batch?.bytes, this.#next?.bytes])
  }

  #fetch(first: number): { readonly first: number; readonly bytes: Promise<Uint8Array> } {
    const { clock, stallMs: ms, signal } = this.#request
    const { unfinished, headBytes, records, target } = this.#track
    const count = Math.min(RECORDS_AHEAD, records - first)
    const into = new Uint8Array(count * this.#recordBytes)
    const bytes = within({ clock, ms, label: target.place.label, signal }, (stop) =>
      unfinished.read(headBytes + first * this.#recordBytes, into, { signal: stop }),
    ).then(() => into)
    // Heard by whoever asks for a record of it.
    bytes.catch(() => undefined)
    return { first, bytes }
  }
}

/** Waits for locations that are away when these could make up the number; else there is nothing to wait for. */
function nothing(request: ReadBackRequest, there: number, left: ReadonlyMap<WriteTarget, Failure>): undefined {
  const away = [...left].filter(([, failure]) => failure.kind === 'unavailable' || failure.kind === 'denied')
  if (away.length === 0 || there + away.length < request.quorum) return undefined
  throw new Failure('storage.quorum', {
    detail: `the upload goes on when more of its locations answer: ${away.map(([, failure]) => failure.message).join('; ')}`,
    culprits: away.map(([target]) => target.place.label),
    next: 'Bring the named locations back; what was sent before stays where it is.',
  })
}

function gone({ place }: WriteTarget): Failure {
  return new Failure('location.absent', {
    detail: `${place.label} kept nothing of the upload`,
    culprits: [place.label],
    next: 'Repair brings it there when the upload is done.',
  })
}

function notOurs({ place }: WriteTarget): Failure {
  return new Failure('format.mismatch', {
    detail: `${place.label} keeps something else under the name of the upload`,
    culprits: [place.label],
    next: 'Repair brings it there when the upload is done; look at who can write to the location.',
  })
}

function behind({ place }: WriteTarget): Failure {
  return new Failure('location.stalled', {
    detail: `${place.label} holds much less of the upload than the others`,
    culprits: [place.label],
    next: 'Repair brings it there when the upload is done.',
  })
}
