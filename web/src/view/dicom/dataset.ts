// Data elements of DICOM (PS3.5, chapter 7), read from the beginning of a file. Nothing of the pixels is read here.
import { CannotShow } from '../cannot-show.ts'

export interface Element {
  readonly vr: string
  /** From the beginning of the bytes that were parsed. */
  readonly at: number
  /** Undefined: up to a delimiter. */
  readonly length: number | undefined
  readonly items?: readonly Dataset[]
}

export type Dataset = ReadonlyMap<number, Element>

export interface Syntax {
  readonly littleEndian: boolean
  readonly explicit: boolean
}

/** The bytes given end before the element does: more are needed. */
export class NeedMore extends Error {
  override readonly name = 'NeedMore'
  /** So many bytes from the beginning are surely needed. */
  readonly bytes: number

  constructor(bytes: number) {
    super('more')
    this.bytes = bytes
  }
}

export interface Parsed {
  readonly dataset: Dataset
  /** Behind the last element: of the pixels where it stopped at them. */
  readonly end: number
}

interface ParseRequest {
  readonly bytes: Uint8Array
  readonly at: number
  readonly syntax: Syntax
  /** True when the file ends with the bytes. */
  readonly whole: boolean
  /** Elements from this tag on are not read. */
  readonly before?: number
}

const ELEMENTS_MAX = 400_000
const DEPTH_MAX = 12
const UNDEFINED = 0xffffffff
const ITEM = 0xfffee000
const ITEM_END = 0xfffee00d
const SEQUENCE_END = 0xfffee0dd
/** These have a length of 32 bits (PS3.5, table 7.1-1). */
const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'])

/** Sequences that viewers look into. In implicit syntaxes only they are known to be sequences. */
const SEQUENCES = new Set([
  0x00289110, 0x00209113, 0x00209116, 0x00289132, 0x00289145, 0x52009229, 0x52009230, 0x0048021a, 0x00480105, 0x00283000, 0x00283010,
  0x00081115, 0x00081199, 0x00081140, 0x00209111, 0x00480200, 0x00409096,
])

export function parseDataset({ bytes, at, syntax, whole, before = UNDEFINED }: ParseRequest): Parsed {
  const parser = new Parser(bytes, syntax, whole)
  parser.at = at
  return { dataset: parser.elements({ end: undefined, depth: 0, before }), end: parser.at }
}

class Parser {
  at = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #syntax: Syntax
  readonly #whole: boolean
  #count = 0

  constructor(bytes: Uint8Array, syntax: Syntax, whole: boolean) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#syntax = syntax
    this.#whole = whole
  }

  /** Elements up to `end`, a delimiter of an item, or a tag that is not wanted any more. */
  elements({ end, depth, before }: { end: number | undefined; depth: number; before: number }): Dataset {
    if (depth > DEPTH_MAX) throw new CannotShow('damaged', 'DICOM nesting')
    const dataset = new Map<number, Element>()
    for (;;) {
      if (end !== undefined && this.at >= end) {
        if (this.at > end) throw new CannotShow('damaged', 'DICOM length')
        return dataset
      }
      if (end === undefined && depth === 0 && this.#whole && this.at >= this.#bytes.length) return dataset
      if (this.#count++ > ELEMENTS_MAX) throw new CannotShow('too-large', 'DICOM elements')
      const start = this.at
      const tag = this.#tag()
      if (tag === ITEM_END && end === undefined && depth > 0) {
        this.#need(4)
        this.at += 4
        return dataset
      }
      if (tag >= before) {
        this.at = start
        return dataset
      }
      const { vr, length } = this.#vrAndLength(tag)
      const value = this.at
      if (vr === 'SQ' || (length === undefined && (vr === 'UN' || vr === '')) || (vr === '' && SEQUENCES.has(tag))) {
        // PS3.5, 6.2.2 note 2: what is unknown and of undefined length is in the implicit syntax.
        const items = this.#items({ length, depth: depth + 1, keep: SEQUENCES.has(tag), implicit: vr === 'UN' })
        dataset.set(tag, { vr: 'SQ', at: value, length, items })
      } else {
        if (length === undefined) {
          // Pixels in pieces: their reader begins at the element itself.
          this.at = start
          return dataset
        }
        this.at += length
        if (end === undefined || this.at <= end) this.#checkReach()
        dataset.set(tag, { vr, at: value, length })
      }
    }
  }

  #items({ length, depth, keep, implicit }: { length: number | undefined; depth: number; keep: boolean; implicit: boolean }): Dataset[] {
    const items: Dataset[] = []
    const end = length === undefined ? undefined : this.at + length
    if (!keep && end !== undefined) {
      this.at = end
      this.#checkReach()
      return items
    }
    const parser = implicit && this.#syntax.explicit ? this.#implicitTwin() : this
    for (;;) {
      if (end !== undefined && parser.at >= end) break
      const tag = parser.#tag()
      const itemLength = parser.#uint32()
      if (tag === SEQUENCE_END) break
      if (tag !== ITEM) throw new CannotShow('damaged', 'DICOM item')
      const itemEnd = itemLength === UNDEFINED ? undefined : parser.at + itemLength
      if (!keep && itemEnd !== undefined) {
        parser.at = itemEnd
        parser.#checkReach()
        continue
      }
      const item = parser.elements({ end: itemEnd, depth, before: UNDEFINED + 1 })
      if (keep) items.push(item)
    }
    this.at = parser.at
    return items
  }

  #implicitTwin(): Parser {
    const twin = new Parser(this.#bytes, { littleEndian: true, explicit: false }, this.#whole)
    twin.at = this.at
    twin.#count = this.#count
    return twin
  }

  #tag(): number {
    this.#need(4)
    const tag =
      this.#view.getUint16(this.at, this.#syntax.littleEndian) * 65_536 + this.#view.getUint16(this.at + 2, this.#syntax.littleEndian)
    this.at += 4
    return tag
  }

  #vrAndLength(tag: number): { vr: string; length: number | undefined } {
    if (!this.#syntax.explicit || tag >= 0xfffee000) {
      const length = this.#uint32()
      return { vr: '', length: length === UNDEFINED ? undefined : length }
    }
    this.#need(4)
    const vr = String.fromCharCode(this.#bytes[this.at]!, this.#bytes[this.at + 1]!)
    if (!/^[A-Z]{2}$/.test(vr)) throw new CannotShow('damaged', 'DICOM value representation')
    if (!LONG.has(vr)) {
      const length = this.#view.getUint16(this.at + 2, this.#syntax.littleEndian)
      this.at += 4
      return { vr, length }
    }
    this.at += 4
    const length = this.#uint32()
    return { vr, length: length === UNDEFINED ? undefined : length }
  }

  #uint32(): number {
    this.#need(4)
    const value = this.#view.getUint32(this.at, this.#syntax.littleEndian)
    this.at += 4
    return value
  }

  #need(length: number): void {
    if (this.at + length <= this.#bytes.length) return
    if (this.#whole) throw new CannotShow('truncated')
    throw new NeedMore(this.at + length)
  }

  /** An element may end where the bytes given end, or behind: the next one then asks for more. A file that is there whole is cut off. */
  #checkReach(): void {
    if (this.#whole && this.at > this.#bytes.length) throw new CannotShow('truncated')
  }
}
