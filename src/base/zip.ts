// A ZIP archive without compression, with 64-bit lengths where they are needed (APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3).
import { utf8 } from './bytes.ts'

const U32_MAX = 0xff_ff_ff_ff
const U16_MAX = 0xff_ff
/** Names are UTF-8 (section 4.4.4, bit 11). */
const FLAGS = 0x0800

interface Entry {
  readonly name: Uint8Array<ArrayBuffer>
  readonly folder: boolean
  readonly crc: number
  readonly size: number
  readonly offset: number
  readonly time: number
}

export class Zip {
  readonly #parts: (Blob | Uint8Array<ArrayBuffer>)[] = []
  readonly #entries: Entry[] = []
  #length = 0

  addFolder(parts: readonly string[]): void {
    this.#add(`${parts.join('/')}/`, { data: new Blob([]), crc: 0, modified: undefined, folder: true })
  }

  /** `modified` in RFC 3339. */
  addFile(parts: readonly string[], file: { readonly data: Blob; readonly crc: number; readonly modified: string | undefined }): void {
    this.#add(parts.join('/'), { ...file, folder: false })
  }

  /** The archive; nothing may be added afterwards. */
  finish(): Blob {
    const begin = this.#length
    for (const entry of this.#entries) this.#push(central(entry))
    this.#push(end(this.#entries.length, begin, this.#length - begin))
    return new Blob(this.#parts, { type: 'application/zip' })
  }

  #add(
    name: string,
    file: { readonly data: Blob; readonly crc: number; readonly modified: string | undefined; readonly folder: boolean },
  ): void {
    const { crc, folder, data } = file
    const entry = { name: utf8(name), folder, crc, size: data.size, offset: this.#length, time: dosTime(file.modified) }
    this.#entries.push(entry)
    this.#push(local(entry))
    this.#push(data)
  }

  #push(part: Blob | Uint8Array<ArrayBuffer>): void {
    this.#parts.push(part)
    this.#length += part instanceof Blob ? part.size : part.length
  }
}

/** CRC-32 (section 4.4.7), to be carried from piece to piece; begins with 0. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before
  for (let at = 0; at < bytes.length; at++) crc = TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  let crc = value
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1
  return crc >>> 0
})

/** Section 4.3.7. */
function local({ name, crc, size, time }: Entry): Uint8Array<ArrayBuffer> {
  const long = size >= U32_MAX
  const extra = long ? fields([2, 1], [2, 16], [8, size], [8, size]) : new Uint8Array(0)
  const shown = long ? U32_MAX : size
  const head = fields(
    [4, 0x04034b50],
    [2, long ? 45 : 20],
    [2, FLAGS],
    [2, 0],
    [4, time],
    [4, crc],
    [4, shown],
    [4, shown],
    [2, name.length],
    [2, extra.length],
  )
  return joined(head, name, extra)
}

/** Section 4.3.12. */
function central({ name, folder, crc, size, offset, time }: Entry): Uint8Array<ArrayBuffer> {
  const longs = [...(size >= U32_MAX ? [size, size] : []), ...(offset >= U32_MAX ? [offset] : [])]
  const extra = longs.length === 0 ? new Uint8Array(0) : fields([2, 1], [2, 8 * longs.length], ...longs.map((one): Field => [8, one]))
  const version = longs.length > 0 ? 45 : 20
  const shown = Math.min(size, U32_MAX)
  const head = fields(
    [4, 0x02014b50],
    [2, version],
    [2, version],
    [2, FLAGS],
    [2, 0],
    [4, time],
    [4, crc],
    [4, shown],
    [4, shown],
    [2, name.length],
    [2, extra.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, folder ? 0x10 : 0],
    [4, Math.min(offset, U32_MAX)],
  )
  return joined(head, name, extra)
}

/** Sections 4.3.14 to 4.3.16. */
function end(count: number, offset: number, size: number): Uint8Array<ArrayBuffer> {
  const long = count >= U16_MAX || offset >= U32_MAX || size >= U32_MAX
  const zip64 = long
    ? fields(
        [4, 0x06064b50],
        [8, 44],
        [2, 45],
        [2, 45],
        [4, 0],
        [4, 0],
        [8, count],
        [8, count],
        [8, size],
        [8, offset],
        [4, 0x07064b50],
        [4, 0],
        [8, offset + size],
        [4, 1],
      )
    : new Uint8Array(0)
  const few = Math.min(count, U16_MAX)
  return joined(
    zip64,
    fields([4, 0x06054b50], [2, 0], [2, 0], [2, few], [2, few], [4, Math.min(size, U32_MAX)], [4, Math.min(offset, U32_MAX)], [2, 0]),
  )
}

type Field = readonly [bytes: 2 | 4 | 8, value: number]

function fields(...list: readonly Field[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(list.reduce((sum, [bytes]) => sum + bytes, 0)))
  let at = 0
  for (const [bytes, value] of list) {
    if (bytes === 2) view.setUint16(at, value, true)
    else if (bytes === 4) view.setUint32(at, value, true)
    else view.setBigUint64(at, BigInt(value), true)
    at += bytes
  }
  return new Uint8Array(view.buffer)
}

function joined(...parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Section 4.4.6, in UTC: date above, time below. */
function dosTime(modified: string | undefined): number {
  const time = new Date(modified ?? 0)
  if (Number.isNaN(time.getTime()) || time.getUTCFullYear() < 1980 || time.getUTCFullYear() > 2107) return (0x21 << 16) >>> 0
  const date = ((time.getUTCFullYear() - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate()
  return ((date << 16) | (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1)) >>> 0
}
