// A write in blocks: staged under ids of our own, then committed as a list, unless the name is taken by then.
import { randomBytes } from 'node:crypto'
import { Failure, utf8 } from '#base'
import { azureBounds } from '../bounds.ts'
import { exists, locationFailure } from '../failures.ts'
import type { WebAnswer } from '../web/client.ts'
import type { PartedUpload } from '../web/parts-sink.ts'
import { childText, childrenOf, child, escapeXml, parseXml } from '../web/xml.ts'
import { azureFailure, garbage } from './errors.ts'
import { type Found, lookAt } from './put.ts'
import { type AzureStore, isAbsent, isTaken, lockHeaders } from './store.ts'

export interface ListedBlock {
  /** Base64, as the store has it. */
  readonly id: string
  readonly sizeBytes: number
}

export interface Block extends ListedBlock {
  /** Where the store looks for it. */
  readonly list: 'Committed' | 'Uncommitted'
}

/** What the id of a block of ours says. */
export interface OurBlockId {
  /** Of all blocks of one write. */
  readonly stem: string
  readonly beganMs: number
  /** Blocks of the object that stood before this write, and stay before its own. */
  readonly base: number
  /** Of the block in the object. */
  readonly number: number
}

/** The ids of one write: all of one length, as the store wants them, and with the time in them, since the store tells none for blocks. */
class BlockIds {
  readonly #stem: string

  constructor(nowMs: number, base: number) {
    const random = randomBytes(5).toString('hex').slice(1)
    this.#stem = `q2-${String(nowMs).padStart(15, '0')}-${random}-${String(base).padStart(6, '0')}-`
  }

  of(number: number): string {
    return Buffer.from(`${this.#stem}${String(number).padStart(6, '0')}`).toString('base64')
  }
}

/** Those of version 1, of the same length, tell no base: they began the object. */
const OUR_ID = /^(q1-(\d{15})-[0-9a-f]{16}-|q2-(\d{15})-[0-9a-f]{9}-(\d{6})-)(\d{6})$/

/** Undefined when the block is not ours. */
export function readBlockId(id: string): OurBlockId | undefined {
  const match = OUR_ID.exec(Buffer.from(id, 'base64').toString('latin1'))
  if (match === null) return undefined
  return { stem: match[1]!, beganMs: Number(match[2] ?? match[3]), base: Number(match[4] ?? 0), number: Number(match[5]) }
}

/** Nothing is asked of the store before the first block. With `before`, blocks are numbered behind those that are kept. */
export function beginBlocks(
  store: AzureStore,
  path: string,
  before?: { readonly kept: readonly ListedBlock[]; readonly replacing: Found },
): PartedUpload {
  const kept: readonly Block[] = (before?.kept ?? []).map((block) => ({ ...block, list: 'Committed' }))
  const ids = new BlockIds(store.clock.now(), kept.length)
  const staged: Block[] = []
  return {
    put: async ({ number, views, length }, signal) => {
      staged[number - kept.length - 1] = { id: ids.of(number), sizeBytes: length, list: 'Uncommitted' }
      await store.client.expect({
        method: 'PUT',
        path,
        query: [
          ['comp', 'block'],
          ['blockid', ids.of(number)],
        ],
        body: views,
        bulk: true,
        signal,
      })
    },
    complete: ({ sizeBytes }, signal) =>
      commitBlocks(store, path, { blocks: [...kept, ...staged], sizeBytes, replacing: before?.replacing, locked: true }, signal),
    abort: () => releaseBlocks(store, path),
  }
}

interface Written {
  readonly blocks: readonly Block[]
  readonly sizeBytes: number
  /** What stands under the name, as it was when it was looked at; without it a name that is taken is left alone. */
  readonly replacing: Found | undefined
  /** False for what is to be replaced. */
  readonly locked: boolean
}

/** Makes an object of the blocks; `location.exists` when another stands there than is meant. */
export async function commitBlocks(store: AzureStore, path: string, written: Written, signal: AbortSignal | undefined): Promise<void> {
  const { replacing } = written
  let answer: WebAnswer
  try {
    answer = await sendList(store, path, written, signal)
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'unavailable' || error.code === 'base.cancelled') throw error
    if (await isOurs(store, path, written, signal).catch(() => false)) return
    throw error
  }
  if (answer.status !== 201) {
    // A list that is refused although its blocks were staged: somebody else's commit has dropped them, or it is our own that landed.
    if (!isTaken(answer) && answer.code !== 'InvalidBlockList') throw azureFailure(store.label, answer)
    if (answer.uncertain && (await isOurs(store, path, written, signal))) return
    if (isTaken(answer) || (await lookAt(store, path, signal)) !== undefined) throw exists(store.label)
    throw azureFailure(store.label, { status: 503, code: 'InternalError' })
  }
  if ((await lookAt(store, path, signal))?.sizeBytes !== written.sizeBytes) {
    throw locationFailure('location.lies', {
      label: store.label,
      detail: `${store.label} acknowledged an object and keeps another size of it.`,
      next: 'Probe the location; do not rely on it until it is explained.',
    })
  }
  // An account with versions keeps what was replaced: waste, which its own rules take away where we may not.
  if (replacing?.versionId !== undefined)
    await store.client.send({ method: 'DELETE', path, query: [['versionid', replacing.versionId]], signal })
}

function sendList(
  store: AzureStore,
  path: string,
  written: Omit<Written, 'sizeBytes'>,
  signal: AbortSignal | undefined,
): Promise<WebAnswer> {
  const items = written.blocks.map(({ id, list }) => `<${list}>${escapeXml(id)}</${list}>`)
  const etag = written.replacing?.etag
  return store.client.send({
    method: 'PUT',
    path,
    query: [['comp', 'blocklist']],
    headers: {
      'content-type': 'application/xml',
      ...(etag === undefined ? { 'if-none-match': '*' } : { 'if-match': etag }),
      ...(written.locked ? lockHeaders(store) : {}),
    },
    body: [utf8(`<?xml version="1.0" encoding="utf-8"?><BlockList>${items.join('')}</BlockList>`)],
    stallMs: azureBounds.commitStallMs,
    signal,
  })
}

/** True when what stands there was committed from our blocks. */
async function isOurs(store: AzureStore, path: string, written: Written, signal: AbortSignal | undefined): Promise<boolean> {
  const found = await lookAt(store, path, signal)
  if (found?.sizeBytes !== written.sizeBytes) return false
  if (written.replacing !== undefined) return found.etag !== written.replacing.etag
  if (written.blocks.length > azureBounds.blocksReadBackMax) return true
  const listed = await blocksOf(store, path, 'committed', signal)
  return listed?.length === written.blocks.length && listed.every(({ id }, index) => id === written.blocks[index]!.id)
}

/** Blocks of a name, or undefined when the store knows nothing of it. */
export async function blocksOf(
  store: AzureStore,
  path: string,
  which: 'committed' | 'uncommitted',
  signal: AbortSignal | undefined,
): Promise<readonly ListedBlock[] | undefined> {
  const query = [
    ['comp', 'blocklist'],
    ['blocklisttype', which],
  ] as const
  const answer = await store.client.send({ method: 'GET', path, query, signal })
  if (isAbsent(store, answer)) return undefined
  if (answer.status !== 200) throw azureFailure(store.label, answer)
  const root = parseXml(answer.body, { elementsMax: azureBounds.blockElementsMax })
  if (root?.name !== 'BlockList') throw garbage(store.label)
  const list = child(root, which === 'committed' ? 'CommittedBlocks' : 'UncommittedBlocks')
  if (list === undefined) return []
  return childrenOf(list, 'Block').map((block) => {
    const size = childText(block, 'Size') ?? ''
    if (!/^\d{1,15}$/.test(size)) throw garbage(store.label)
    return { id: childText(block, 'Name') ?? '', sizeBytes: Number(size) }
  })
}

/** When the youngest block of a write that was never committed was begun; undefined when there is none, or when any of them is not ours. */
export async function lastBegun(store: AzureStore, path: string, signal: AbortSignal | undefined): Promise<number | undefined> {
  const times = ((await blocksOf(store, path, 'uncommitted', signal)) ?? []).map(({ id }) => readBlockId(id)?.beganMs)
  return times.length === 0 || times.includes(undefined) ? undefined : Math.max(...times.map((time) => time!))
}

/**
 * Drops the blocks of a write that was given up. The store has no call for that: an empty object is committed in their place, unless the name
 * is taken, and deleted at once. Where deleting is refused, or what is written is held by a lock, they are left: the store drops them after a week.
 */
export async function releaseBlocks(store: AzureStore, path: string, signal?: AbortSignal): Promise<void> {
  if (store.lock !== undefined || !store.rights.deletes) return
  // Deleting under a condition that no object meets: tells the right from its absence, and touches nothing.
  const right = await store.client.send({ method: 'DELETE', path, headers: { 'if-match': '"0x0"' }, signal })
  if (right.status === 403) {
    store.rights.deletes = false
    return
  }
  // Some answer 412 to any condition while the name has blocks only; whether it is taken is asked again by the commit.
  if (right.status !== 412 && !isAbsent(store, right)) return
  const emptied = await sendList(store, path, { blocks: [], replacing: undefined, locked: false }, signal)
  if (emptied.status !== 201) return
  const { etag } = emptied.headers
  const answer = await store.client.send({ method: 'DELETE', path, headers: etag === undefined ? {} : { 'if-match': etag }, signal })
  if (answer.status === 403 || answer.status === 409) store.rights.deletes = false
}
