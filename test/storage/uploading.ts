// What tests of uploads that go on share: a client of the storage room, as patient as the real ones.
import { createHash } from 'node:crypto'
import type { Stored, Upload } from '#contract'
import type { SiteStorage } from '#storage'
import { pieces } from './site.ts'

export const CHUNK = 2 ** 18

export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Wakes it and waits until it is ready, or has a problem. */
export async function awake(storage: SiteStorage, id: string): Promise<Upload> {
  let upload = await storage.wakeUpload(id)
  while (upload.state === 'checking') {
    await new Promise((resolve) => {
      setTimeout(resolve, 2)
    })
    upload = await storage.upload(id)
  }
  return upload
}

/** Wakes it and proves the source. */
export async function takeUp(storage: SiteStorage, id: string, bytes: Uint8Array): Promise<{ offset: number; turn: string }> {
  const upload = await awake(storage, id)
  if (upload.offset === null) throw new Error(`not ready: ${upload.state} ${upload.problem?.code}`)
  const { turn } = await storage.takeUpload(id, { offset: upload.offset, sha256: digest(bytes.subarray(0, upload.offset)) })
  return { offset: upload.offset, turn }
}

/** Takes it up and brings it to its end. */
export async function goOn(
  storage: SiteStorage,
  id: string,
  bytes: Uint8Array,
): Promise<{ readonly from: number; readonly stored: Stored }> {
  const { offset, turn } = await takeUp(storage, id, bytes)
  await storage.sendUpload(id, { turn, offset }, pieces(bytes.subarray(offset)))
  return { from: offset, stored: await storage.finishUpload(id, { turn }) }
}

/** The first bytes, then the link breaks. */
export async function* broken(bytes: Uint8Array, afterBytes: number, pieceBytes?: number): AsyncGenerator<Uint8Array> {
  yield* pieces(bytes.subarray(0, afterBytes), pieceBytes)
  throw new Error('the link broke')
}

/** Begins an upload and sends a part of it over a link that breaks. */
export async function begun(
  storage: SiteStorage,
  bytes: Uint8Array,
  request: { readonly path?: string; readonly afterBytes: number; readonly modified?: string },
): Promise<{ readonly id: string; readonly turn: string }> {
  const { id, turn } = await storage.beginUpload({
    path: request.path ?? '/scan.dcm',
    size: bytes.length,
    modified: request.modified,
    ifAbsent: false,
  })
  await storage.sendUpload(id, { turn, offset: 0 }, broken(bytes, request.afterBytes)).then(
    () => {
      throw new Error('the link was to break')
    },
    (error: unknown) => {
      if (!(error instanceof Error && error.message === 'the link broke')) throw error
    },
  )
  return { id, turn }
}
