// Reads a small ZIP archive (APPNOTE.TXT 6.3.10): names and bytes, stored or deflated. For kits, which are of a few megabytes.
import { Failure } from '#base'

const BYTES_MAX = 32 * 2 ** 20
const FILES_MAX = 200
const END_BYTES = 22
const COMMENT_MAX = 0xff_ff

/** Files by their names. Throws `storage.kit`. */
export async function unzip(archive: Uint8Array<ArrayBuffer>): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength)
  const end = endOf(view)
  const count = view.getUint16(end + 10, true)
  if (count > FILES_MAX) throw broken('it holds too many files')
  const files = new Map<string, Uint8Array<ArrayBuffer>>()
  let room = BYTES_MAX
  try {
    let at = view.getUint32(end + 16, true)
    for (let index = 0; index < count; index++) {
      // Section 4.3.12, central directory header.
      if (view.getUint32(at, true) !== 0x02_01_4b_50) throw broken('its directory is damaged')
      const method = view.getUint16(at + 10, true)
      const packed = view.getUint32(at + 20, true)
      const size = view.getUint32(at + 24, true)
      const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [
        number,
        number,
        number,
      ]
      const local = view.getUint32(at + 42, true)
      const name = new TextDecoder('utf-8', { fatal: true }).decode(archive.subarray(at + 46, at + 46 + nameBytes))
      at += 46 + nameBytes + extraBytes + commentBytes
      if (name.endsWith('/')) continue
      room -= size
      if (room < 0) throw broken('it is too large')
      const begin = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
      const data = archive.subarray(begin, begin + packed)
      if (data.length !== packed) throw broken('it ends early')
      const bytes = method === 0 ? data : method === 8 ? await inflated(data, size) : undefined
      if (bytes === undefined || bytes.length !== size) throw broken(`${name} in it is packed in an unknown way`)
      files.set(name, bytes)
    }
  } catch (error) {
    throw error instanceof Failure ? error : broken('it is damaged', error)
  }
  return files
}

/** Section 4.3.16, end of central directory record. */
function endOf(view: DataView): number {
  for (let at = view.byteLength - END_BYTES; at >= Math.max(0, view.byteLength - END_BYTES - COMMENT_MAX); at--)
    if (view.getUint32(at, true) === 0x06_05_4b_50) return at
  throw broken('it is no ZIP archive')
}

async function inflated(data: Uint8Array<ArrayBuffer>, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const out = new Uint8Array(size)
  let at = 0
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return out.subarray(0, at)
    if (at + value.length > size) {
      await reader.cancel()
      throw broken('a file in it is longer than it says')
    }
    out.set(value, at)
    at += value.length
  }
}

function broken(why: string, cause?: unknown): Failure {
  return new Failure('storage.kit', {
    detail: `this is not the file of a kit: ${why}`,
    next: 'Choose the ZIP file, or the folder of the kit.',
    cause,
  })
}
