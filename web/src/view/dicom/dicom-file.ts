// A DICOM file (PS3.10): what it says of itself, and where its pixels lie.
import { type Bytes, bytesOfMemory } from '../bytes.ts'
import { CannotShow } from '../cannot-show.ts'
import { unpack } from '../inflate.ts'
import { decoderOf } from './characters.ts'
import { type Dataset, type Element, NeedMore, type Parsed, parseDataset, type Syntax } from './dataset.ts'

export interface DicomFile {
  readonly transferSyntax: string
  readonly syntax: Syntax
  readonly dataset: Dataset
  /** The bytes that offsets speak of: the file, or what was deflated in it. */
  readonly bytes: Bytes
  readonly pixels: PixelPlace | undefined
  /** Text of an element, its values apart; empty when it is not there. */
  strings(tag: number, of?: Dataset): readonly string[]
  string(tag: number, of?: Dataset): string
  /** Numbers of an element, written as text or in binary. */
  numbers(tag: number, of?: Dataset): readonly number[]
  number(tag: number, of?: Dataset): number | undefined
}

export interface PixelPlace {
  readonly at: number
  /** Undefined: in pieces, up to a delimiter. */
  readonly length: number | undefined
  readonly vr: string
}

const META_MAX = 0x00030000
const PIXELS = 0x7fe00010
const PIXEL_TAGS = [0x7fe00008, 0x7fe00009, PIXELS]
const FIRST_BYTES = 64 * 1024
const HEADER_BYTES_MAX = 96 * 2 ** 20
const DEFLATED_BYTES_MAX = 64 * 2 ** 20
const INFLATED_BYTES_MAX = 256 * 2 ** 20
const EXPLICIT: Syntax = { littleEndian: true, explicit: true }
const IMPLICIT_LITTLE = '1.2.840.10008.1.2'
const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1'
const DEFLATED = '1.2.840.10008.1.2.1.99'
const EXPLICIT_BIG = '1.2.840.10008.1.2.2'

export async function readDicom(bytes: Bytes, signal?: AbortSignal): Promise<DicomFile> {
  const head = await bytes.read(0, FIRST_BYTES, signal)
  const start = String.fromCharCode(...head.subarray(128, 132)) === 'DICM' ? 132 : 0
  let transferSyntax = ''
  let at = start
  const whole = head.length >= bytes.sizeBytes
  if (start > 0 || head[0] === 2) {
    const meta = await growing(bytes, head, signal, (part, all) =>
      parseDataset({ bytes: part, at: start, syntax: EXPLICIT, whole: all, before: META_MAX }),
    )
    transferSyntax = latin(meta.part, meta.parsed.dataset.get(0x00020010))
    at = meta.parsed.end
  }
  const syntax = syntaxOf(transferSyntax, head.subarray(at, at + 6))
  if (transferSyntax === DEFLATED) {
    if (bytes.sizeBytes > DEFLATED_BYTES_MAX) throw new CannotShow('too-large', 'deflated DICOM')
    const inflated = await unpack(await bytes.read(at, bytes.sizeBytes - at, signal), 'deflate-raw', INFLATED_BYTES_MAX)
    return describe(bytesOfMemory(inflated), inflated, 0, transferSyntax, syntax, true, signal)
  }
  return describe(bytes, head, at, transferSyntax, syntax, whole, signal)
}

function syntaxOf(transferSyntax: string, first: Uint8Array): Syntax {
  if (transferSyntax === IMPLICIT_LITTLE) return { littleEndian: true, explicit: false }
  if (transferSyntax === EXPLICIT_BIG) return { littleEndian: false, explicit: true }
  if (transferSyntax !== '') return EXPLICIT
  const vr = String.fromCharCode(first[4] ?? 0, first[5] ?? 0)
  return { littleEndian: !(first[0] === 0 && first[1] !== 0), explicit: /^[A-Z]{2}$/.test(vr) }
}

function nameOf({ littleEndian, explicit }: Syntax): string {
  if (!littleEndian) return EXPLICIT_BIG
  return explicit ? EXPLICIT_LITTLE : IMPLICIT_LITTLE
}

async function describe(
  bytes: Bytes,
  head: Uint8Array,
  at: number,
  said: string,
  syntax: Syntax,
  whole: boolean,
  signal: AbortSignal | undefined,
): Promise<DicomFile> {
  const { part, parsed } = await growing(bytes, whole ? head.subarray(0, bytes.sizeBytes) : head, signal, (known, all) =>
    parseDataset({ bytes: known, at, syntax, whole: all, before: PIXEL_TAGS[0]! }),
  )
  const { dataset, end } = parsed
  const pixels = await pixelsAt(bytes, end, syntax, signal)
  const decode = decoderOf(textOf(part, dataset.get(0x00080005)).split('\\'))
  const valueOf = (element: Element | undefined): Uint8Array =>
    element?.length === undefined ? new Uint8Array(0) : part.subarray(element.at, element.at + element.length)
  const strings = (tag: number, of: Dataset = dataset): readonly string[] => {
    const value = valueOf(of.get(tag))
    if (value.length === 0) return []
    return decode(value)
      .split('\\')
      .map((text) => text.replace(/^[ \0]+|[ \0]+$/g, ''))
  }
  const numbers = (tag: number, of: Dataset = dataset): readonly number[] => {
    const element = of.get(tag)
    const value = valueOf(element)
    if (element === undefined || value.length === 0) return []
    return (
      binaryNumbers(value, element.vr === '' ? vrOfImplicit(tag) : element.vr, syntax.littleEndian) ??
      strings(tag, of).map(Number).filter(Number.isFinite)
    )
  }
  return {
    transferSyntax: said === '' ? nameOf(syntax) : said,
    syntax,
    dataset,
    bytes,
    pixels,
    strings,
    string: (tag, of) => strings(tag, of)[0] ?? '',
    numbers,
    number: (tag, of) => numbers(tag, of)[0],
  }
}

/** Parses with more and more of the beginning, until it is enough. */
async function growing(
  bytes: Bytes,
  head: Uint8Array,
  signal: AbortSignal | undefined,
  parse: (part: Uint8Array, whole: boolean) => Parsed,
): Promise<{ readonly part: Uint8Array; readonly parsed: Parsed }> {
  let part = head
  for (;;) {
    try {
      const parsed = parse(part, part.length >= bytes.sizeBytes)
      // The values of the last elements are wanted too.
      if (parsed.end <= part.length) return { part, parsed }
      throw new NeedMore(parsed.end)
    } catch (error) {
      if (!(error instanceof NeedMore)) throw error
      if (part.length >= bytes.sizeBytes || error.bytes > bytes.sizeBytes) throw new CannotShow('truncated')
      if (error.bytes > HEADER_BYTES_MAX) throw new CannotShow('too-large', 'DICOM header')
      part = await bytes.read(0, Math.min(HEADER_BYTES_MAX, Math.max(error.bytes, part.length * 4)), signal)
    }
  }
}

/** The pixels begin at `at` or a few elements behind (floating point pixels, offset tables before them are elsewhere). */
async function pixelsAt(bytes: Bytes, at: number, syntax: Syntax, signal: AbortSignal | undefined): Promise<PixelPlace | undefined> {
  const header = await bytes.read(at, 12, signal)
  if (header.length < 8) return undefined
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const tag = view.getUint16(0, syntax.littleEndian) * 65_536 + view.getUint16(2, syntax.littleEndian)
  if (tag !== PIXELS) return undefined
  const explicit = syntax.explicit
  if (explicit && header.length < 12) return undefined
  const length = view.getUint32(explicit ? 8 : 4, syntax.littleEndian)
  return {
    at: at + (explicit ? 12 : 8),
    length: length === 0xffffffff ? undefined : length,
    vr: explicit ? String.fromCharCode(header[4]!, header[5]!) : 'OW',
  }
}

function textOf(part: Uint8Array, element: Element | undefined): string {
  return element?.length === undefined ? '' : String.fromCharCode(...part.subarray(element.at, element.at + Math.min(element.length, 1024)))
}

function latin(part: Uint8Array, element: Element | undefined): string {
  return textOf(part, element).replace(/[ \0]+$/, '')
}

/** Numbers of the binary representations; undefined where they are written as text. */
function binaryNumbers(value: Uint8Array, vr: string, littleEndian: boolean): number[] | undefined {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  const each = (bytesEach: number, get: (at: number) => number): number[] =>
    Array.from({ length: Math.floor(value.length / bytesEach) }, (_, index) => get(index * bytesEach))
  switch (vr) {
    case 'US':
    case 'OW':
      return each(2, (at) => view.getUint16(at, littleEndian))
    case 'SS':
      return each(2, (at) => view.getInt16(at, littleEndian))
    case 'UL':
    case 'OL':
      return each(4, (at) => view.getUint32(at, littleEndian))
    case 'SL':
      return each(4, (at) => view.getInt32(at, littleEndian))
    case 'FL':
    case 'OF':
      return each(4, (at) => view.getFloat32(at, littleEndian))
    case 'FD':
    case 'OD':
      return each(8, (at) => view.getFloat64(at, littleEndian))
    case 'OV':
    case 'UV':
      return each(8, (at) => Number(view.getBigUint64(at, littleEndian)))
    default:
      return undefined
  }
}

/** Binary elements that viewers read, in the implicit syntax. */
function vrOfImplicit(tag: number): string {
  if (UNSIGNED.has(tag)) return 'US'
  if (tag === 0x00480006 || tag === 0x00480007 || tag === 0x0048021e || tag === 0x0048021f) return 'UL'
  if (tag >= 0x00281201 && tag <= 0x00281203) return 'OW'
  return ''
}

const UNSIGNED = new Set([
  0x00280002, 0x00280006, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00281101, 0x00281102, 0x00281103,
])
