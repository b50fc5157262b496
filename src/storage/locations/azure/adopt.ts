// What an interrupted write left in a container. Blocks cannot be read before they are committed, so they are committed under the name; going on
// stages blocks behind those that stay, and the list of both takes the place of what stood there.
import { assert } from '#base'
import type { FragmentName, FragmentSink, LocationOptions, UnfinishedWrite } from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { shownUnfinished } from '../web/unfinished.ts'
import { type Block, blocksOf, type ListedBlock, type OurBlockId, readBlockId, commitBlocks } from './blocks.ts'
import { type Found, lookAt } from './put.ts'
import { goOnInAzure } from './sink.ts'
import { openInAzure } from './source.ts'
import { type AzureStore, pathOf } from './store.ts'

/** The newest write that staged anything behind what stands there, or the longest; undefined where blocks of others stand. */
export async function adoptInAzure(
  store: AzureStore,
  name: FragmentName,
  { signal }: LocationOptions,
): Promise<UnfinishedWrite | undefined> {
  stopIfCancelled(signal)
  const path = pathOf(store, name)
  const staged = await blocksOf(store, path, 'uncommitted', signal)
  if (staged === undefined) return undefined
  const standing = await lookAt(store, path, signal)
  const committed = standing === undefined ? [] : ((await blocksOf(store, path, 'committed', signal)) ?? [])
  if (committed.some(({ id }) => readBlockId(id) === undefined)) return undefined
  const joined = joinable(staged, { committed, bytes: standing?.sizeBytes ?? 0 })
  if (joined !== undefined) {
    const sizeBytes = bytesOf(joined)
    await commitBlocks(store, path, { blocks: joined, sizeBytes, replacing: standing, locked: false }, signal)
  }
  const found = joined === undefined ? standing : await lookAt(store, path, signal)
  if (found === undefined || found.sizeBytes === 0) return undefined
  const blocks = joined ?? committed
  const source = await openInAzure(store, name, { tailBytes: 0, signal })
  return shownUnfinished(source, (keep, options) => goOn(store, path, { keep, blocks, found }, options))
}

/** The blocks that make more of the object than what stands there; undefined when there are none. */
function joinable(
  staged: readonly ListedBlock[],
  standing: { readonly committed: readonly ListedBlock[]; readonly bytes: number },
): readonly Block[] | undefined {
  const { committed } = standing
  const stoodMs = Math.max(0, ...committed.map(({ id }) => readBlockId(id)!.beganMs))
  const ours = staged.flatMap(({ id, sizeBytes }) => {
    const read = readBlockId(id)
    return read === undefined ? [] : [{ ...read, id, sizeBytes }]
  })
  const writes = [...Map.groupBy(ours, ({ stem }) => stem).values()].flatMap((blocks) => {
    const { base, beganMs } = blocks[0]!
    // Blocks behind ones that stand there no more lead nowhere.
    if (base > committed.length) return []
    const run = unbroken(blocks)
    const all: readonly Block[] = [
      ...committed.slice(0, base).map((block) => ({ ...block, list: 'Committed' as const })),
      ...run.map(({ id, sizeBytes }) => ({ id, sizeBytes, list: 'Uncommitted' as const })),
    ]
    // What was begun behind what stands there is later than it, even where it had to be cut.
    const counts = run.length > 0 && (bytesOf(all) > standing.bytes || (base > 0 && beganMs > stoodMs))
    return counts ? [{ beganMs, all }] : []
  })
  return writes.toSorted((a, b) => b.beganMs - a.beganMs || bytesOf(b.all) - bytesOf(a.all))[0]?.all
}

/** From the first number of the write on, as far as none is missing. */
function unbroken<Each extends OurBlockId>(blocks: readonly Each[]): readonly Each[] {
  const byNumber = new Map(blocks.map((block) => [block.number, block]))
  const run: Each[] = []
  for (let number = blocks[0]!.base + 1; ; number += 1) {
    const block = byNumber.get(number)
    if (block === undefined) return run
    run.push(block)
  }
}

/** Whole blocks stay where they are; of the one that is cut, the beginning is written again. */
async function goOn(
  store: AzureStore,
  path: string,
  from: { readonly keep: number; readonly blocks: readonly ListedBlock[]; readonly found: Found },
  options: LocationOptions,
): Promise<{ readonly sink: FragmentSink; readonly bytes: number }> {
  const kept: ListedBlock[] = []
  let bytes = 0
  for (const block of from.blocks) {
    if (bytes + block.sizeBytes > from.keep) break
    kept.push(block)
    bytes += block.sizeBytes
  }
  assert(bytes <= from.keep, 'whole blocks lie within what stays')
  return { sink: goOnInAzure(store, path, { kept, bytes, replacing: from.found }, options), bytes }
}

function bytesOf(blocks: readonly ListedBlock[]): number {
  return blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
