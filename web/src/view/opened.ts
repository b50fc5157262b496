// A file, opened and recognised: what a viewer gets. Packed files are unpacked as far as memory allows.
import { Failure } from '#base'
import { client } from '../site/client.ts'
import { type Bytes, bytesOfMemory } from './bytes.ts'
import { CannotShow } from './cannot-show.ts'
import { unpack, unpackStart } from './inflate.ts'
import { kindOf, type Kind } from './kind.ts'
import { openFile, type OpenFile } from './open-file.ts'
import { unpackBlocks } from './table/bgzf.ts'

export interface Opened {
  readonly file: OpenFile
  /** What to look at: the file's bytes, or those that were packed in it. */
  readonly bytes: Bytes
  readonly head: Uint8Array
  readonly kind: Kind
  /** A bgzip file whose blocks are unpacked as they are needed. */
  readonly blocks: boolean
}

const PACKED_BYTES_MAX = 32 * 2 ** 20
const UNPACKED_BYTES_MAX = 192 * 2 ** 20

export async function openForView(path: string, version: number | undefined, signal: AbortSignal): Promise<Opened> {
  const entry = await client.stat({ path }, { signal })
  if (entry.kind !== 'file') throw new Failure('storage.absent')
  const file = await openFile({ client, path, version, signal, entry: version === undefined ? entry : undefined })
  const kind = kindOf(file.head, file.name)
  if (kind.family !== 'gzip') return { file, bytes: file.bytes, head: file.head, kind, blocks: false }
  const head = await unpackStart(file.head, 'gzip', file.head.length)
  const inner = kindOf(head, file.name.replace(/\.(gz|bgz|bgzf)$/i, ''))
  if (inner.family === 'other' && inner.format === 'unknown') return { file, bytes: file.bytes, head: file.head, kind, blocks: false }
  if (kind.format === 'bgzip' && (inner.family === 'table' || inner.family === 'variants'))
    return { file, bytes: file.bytes, head, kind: inner, blocks: true }
  if (inner.family === 'other') return { file, bytes: file.bytes, head: file.head, kind: inner, blocks: false }
  if (file.sizeBytes > PACKED_BYTES_MAX) throw new CannotShow('packed')
  const whole =
    kind.format === 'bgzip'
      ? await unpackBlocks(file.bytes, UNPACKED_BYTES_MAX, signal)
      : await unpack(await file.bytes.read(0, file.sizeBytes, signal), 'gzip', UNPACKED_BYTES_MAX)
  return { file, bytes: bytesOfMemory(whole), head: whole.subarray(0, file.head.length), kind: inner, blocks: false }
}
