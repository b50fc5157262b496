// What an interrupted write left in a bucket of Google Cloud Storage: segments, which are read where they are and stay in the joined object.
import { assert } from '#base'
import type { FragmentName, FragmentSink, FragmentSource, LocationOptions, UnfinishedWrite } from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { shownUnfinished } from '../web/unfinished.ts'
import { type Found, lookAt } from './put.ts'
import { beginSegments, dropSegmentsOf, objectsBelow, readSegmentKey, type Segment, segmentsBelow } from './segments.ts'
import { goOnInGcs } from './sink.ts'
import { openInGcs, openKeyInGcs } from './source.ts'
import { type GcsStore, keyOf } from './store.ts'

/** The newest write behind what others left, or what stands under the name where that is longer. */
export async function adoptInGcs(store: GcsStore, name: FragmentName, { signal }: LocationOptions): Promise<UnfinishedWrite | undefined> {
  stopIfCancelled(signal)
  const key = keyOf(store, name)
  const standing = await lookAt(store, key, signal)
  const segments = chainOf(await segmentsOf(store, name, signal))
  const bytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  if ((standing?.sizeBytes ?? 0) >= bytes && standing !== undefined && standing.sizeBytes > 0) {
    const source = await openInGcs(store, name, { tailBytes: 0, signal })
    return shownUnfinished(source, async (_, options) => goOn(store, name, { keep: 0, segments: [], standing }, options))
  }
  if (bytes === 0) return undefined
  const source = new JoinedSource(store, segments)
  return shownUnfinished(source, async (keep, options) => goOn(store, name, { keep, segments, standing }, options))
}

/** Removes the segments of the name. */
export async function forgetInGcs(store: GcsStore, name: FragmentName, { signal }: LocationOptions): Promise<void> {
  stopIfCancelled(signal)
  await dropSegmentsOf(store, name, signal)
}

type Known = Segment & { readonly write: string; readonly beganMs: number; readonly base: number; readonly number: number }

async function segmentsOf(store: GcsStore, name: FragmentName, signal: AbortSignal | undefined): Promise<readonly Known[]> {
  const below = segmentsBelow(store, name)
  const known: Known[] = []
  for await (const { key, generation, sizeBytes } of objectsBelow(store, below, signal)) {
    const read = readSegmentKey(key, below)
    if (read !== undefined) known.push({ ...read, key, generation, sizeBytes })
  }
  return known
}

/** From the oldest write on: each stands behind as many segments as were there when it began. */
function chainOf(known: readonly Known[]): readonly Segment[] {
  let chain: readonly Segment[] = []
  const writes = [...Map.groupBy(known, ({ write }) => write).values()].toSorted((a, b) => a[0]!.beganMs - b[0]!.beganMs)
  for (const segments of writes) {
    const { base } = segments[0]!
    const byNumber = new Map(segments.map((one) => [one.number, one]))
    const run: Segment[] = []
    for (let number = base + 1; byNumber.has(number); number += 1) run.push(byNumber.get(number)!)
    if (run.length > 0 && base <= chain.length) chain = [...chain.slice(0, base), ...run]
  }
  return chain
}

/** Whole segments stay; the beginning of the one that is cut is written again. */
async function goOn(
  store: GcsStore,
  name: FragmentName,
  from: { readonly keep: number; readonly segments: readonly Segment[]; readonly standing: Found | undefined },
  options: LocationOptions,
): Promise<{ readonly sink: FragmentSink; readonly bytes: number }> {
  const kept: Segment[] = []
  let bytes = 0
  for (const one of from.segments) {
    if (bytes + one.sizeBytes > from.keep) break
    kept.push(one)
    bytes += one.sizeBytes
  }
  const upload = beginSegments(store, { name, key: keyOf(store, name) }, { kept, replacing: from.standing, resumed: true })
  return { sink: goOnInGcs(store, name, { upload, parts: kept.length, bytes }, options), bytes }
}

/** Segments one after the other, each opened when it is first read. */
class JoinedSource implements FragmentSource {
  readonly sizeBytes: number
  readonly tail = new Uint8Array(0)
  readonly #store: GcsStore
  readonly #segments: readonly (Segment & { readonly start: number })[]
  readonly #open = new Map<string, Promise<FragmentSource>>()

  constructor(store: GcsStore, segments: readonly Segment[]) {
    let start = 0
    this.#store = store
    this.#segments = segments.map((one) => {
      start += one.sizeBytes
      return { ...one, start: start - one.sizeBytes }
    })
    this.sizeBytes = start
  }

  async read(offset: number, into: Uint8Array, options: LocationOptions = {}): Promise<void> {
    assert(offset + into.length <= this.sizeBytes, 'read within what is there')
    for (const one of this.#segments) {
      const first = Math.max(offset, one.start)
      const end = Math.min(offset + into.length, one.start + one.sizeBytes)
      if (first >= end) continue
      const source = await this.#source(one, options)
      await source.read(first - one.start, into.subarray(first - offset, end - offset), options)
    }
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#open.values())
    await Promise.all(opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value.close()] : [])))
  }

  #source({ key }: Segment, options: LocationOptions): Promise<FragmentSource> {
    const opening = this.#open.get(key) ?? openKeyInGcs(this.#store, key, { ...options, tailBytes: 0 })
    this.#open.set(key, opening)
    opening.catch(() => this.#open.delete(key))
    return opening
  }
}
