// A write in blocks: staged under ids of our own, then committed as a list, unless the name is taken by then.
import { randomBytes } from 'node:crypto'
import { Failure, utf8 } from '#base'
import { azureBounds } from '../bounds.ts'
import { exists, locationFailure } from '../failures.ts'
import type { WebAnswer } from '../web/client.ts'
import type { PartedUpload } from '../web/parts-sink.ts'
import { childText, childrenOf, child, escapeXml, parseXml } from '../web/xml.ts'
import { azureFailure, garbage } from './errors.ts'
import { lookAt } from './put.ts'
import { type AzureStore, isAbsent, isTaken, lockHeaders } from './store.ts'

/** The ids of one write: all of one length, as the store wants them, and with the time in them, since the store tells none for blocks. */
class BlockIds {
  readonly #stem: string

  constructor(nowMs: number) {
    this.#stem = `q1-${String(nowMs).padStart(15, '0')}-${randomBytes(8).toString('hex')}-`
  }

  of(number: number): string {
    return Buffer.from(`${this.#stem}${String(number).padStart(6, '0')}`).toString('base64')
  }
}

const OUR_ID = /^q1-(\d{15})-[0-9a-f]{16}-\d{6}$/

/** When a block of ours was begun, or undefined when it is not ours. */
export function timeOfBlock(id: string): number | undefined {
  const match = OUR_ID.exec(Buffer.from(id, 'base64').toString('latin1'))
  return match === null ? undefined : Number(match[1])
}

/** Nothing is asked of the store before the first block. */
export function beginBlocks(store: AzureStore, path: string): PartedUpload {
  const ids = new BlockIds(store.clock.now())
  let count = 0
  return {
    put: async ({ number, views }, signal) => {
      count = Math.max(count, number)
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
    complete: async ({ sizeBytes }, signal) => {
      const all = Array.from({ length: count }, (_, index) => ids.of(index + 1))
      await commit(store, path, { ids: all, sizeBytes }, signal)
    },
    abort: () => releaseBlocks(store, path),
  }
}

async function commit(
  store: AzureStore,
  path: string,
  written: { readonly ids: readonly string[]; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<void> {
  let answer: WebAnswer
  try {
    answer = await sendList(store, path, written.ids, { headers: lockHeaders(store), signal })
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
  if ((await lookAt(store, path, signal))?.sizeBytes === written.sizeBytes) return
  throw locationFailure('location.lies', {
    label: store.label,
    detail: `${store.label} acknowledged an object and keeps another size of it.`,
    next: 'Probe the location; do not rely on it until it is explained.',
  })
}

function sendList(
  store: AzureStore,
  path: string,
  ids: readonly string[],
  options: { readonly headers?: Record<string, string>; readonly signal?: AbortSignal | undefined },
): Promise<WebAnswer> {
  const items = ids.map((id) => `<Uncommitted>${escapeXml(id)}</Uncommitted>`)
  return store.client.send({
    method: 'PUT',
    path,
    query: [['comp', 'blocklist']],
    headers: { 'content-type': 'application/xml', 'if-none-match': '*', ...options.headers },
    body: [utf8(`<?xml version="1.0" encoding="utf-8"?><BlockList>${items.join('')}</BlockList>`)],
    stallMs: azureBounds.commitStallMs,
    signal: options.signal,
  })
}

/** True when what stands there was committed from our blocks. */
async function isOurs(
  store: AzureStore,
  path: string,
  written: { readonly ids: readonly string[]; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<boolean> {
  if ((await lookAt(store, path, signal))?.sizeBytes !== written.sizeBytes) return false
  if (written.ids.length > azureBounds.blocksReadBackMax) return true
  const ids = await blocksOf(store, path, 'committed', signal)
  return ids !== undefined && ids.length === written.ids.length && ids.every((id, index) => id === written.ids[index])
}

/** Ids of the blocks of a name, or undefined when the store knows nothing of it. */
async function blocksOf(
  store: AzureStore,
  path: string,
  which: 'committed' | 'uncommitted',
  signal: AbortSignal | undefined,
): Promise<string[] | undefined> {
  const query = [
    ['comp', 'blocklist'],
    ['blocklisttype', which],
  ] as const
  const answer = await store.client.send({ method: 'GET', path, query, signal })
  if (isAbsent(store, answer)) return undefined
  if (answer.status !== 200) throw azureFailure(store.label, answer)
  const root = parseXml(answer.body)
  if (root?.name !== 'BlockList') throw garbage(store.label)
  const list = child(root, which === 'committed' ? 'CommittedBlocks' : 'UncommittedBlocks')
  return list === undefined ? [] : childrenOf(list, 'Block').map((block) => childText(block, 'Name') ?? '')
}

/** When the youngest block of a write that was never committed was begun; undefined when there is none, or when any of them is not ours. */
export async function lastBegun(store: AzureStore, path: string, signal: AbortSignal | undefined): Promise<number | undefined> {
  const times = ((await blocksOf(store, path, 'uncommitted', signal)) ?? []).map(timeOfBlock)
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
  const emptied = await sendList(store, path, [], { signal })
  if (emptied.status !== 201) return
  const { etag } = emptied.headers
  const answer = await store.client.send({ method: 'DELETE', path, headers: etag === undefined ? {} : { 'if-match': etag }, signal })
  if (answer.status === 403 || answer.status === 409) store.rights.deletes = false
}
