// What a file is, by its first bytes. The name only decides where content leaves a choice: comma-separated text is also text.
import { encodingOf } from './encoding.ts'

export type Family = 'tiff' | 'dicom' | 'image' | 'pdf' | 'parquet' | 'table' | 'variants' | 'text' | 'gzip' | 'other'

/** Formats that are known by their first bytes; those of family `other` have no viewer. */
export type Format =
  | 'tiff'
  | 'dicom'
  | 'png'
  | 'jpeg'
  | 'gif'
  | 'webp'
  | 'avif'
  | 'bmp'
  | 'pdf'
  | 'parquet'
  | 'csv'
  | 'tsv'
  | 'bed'
  | 'vcf'
  | 'json'
  | 'html'
  | 'text'
  | 'bgzip'
  | 'gzip'
  | 'bam'
  | 'cram'
  | 'bcf'
  | 'index'
  | 'zip'
  | 'office'
  | 'sqlite'
  | 'hdf5'
  | 'nifti'
  | 'jpeg2000'
  | 'heic'
  | 'video'
  | 'audio'
  | 'program'
  | 'unknown'

export interface Kind {
  readonly family: Family
  readonly format: Format
  /** How a browser calls it; only for pictures. */
  readonly mime?: string
  /** The ending of the name says something else. */
  readonly misnamed?: true
}

interface Magic {
  readonly at?: number
  readonly hex: string
  readonly family: Family
  readonly format: Format
  readonly mime?: string
}

const MAGIC: readonly Magic[] = [
  // First, since its preamble may be the header of a TIFF.
  { at: 128, hex: '4449434d', family: 'dicom', format: 'dicom' },
  { hex: '49492a00', family: 'tiff', format: 'tiff' },
  { hex: '4d4d002a', family: 'tiff', format: 'tiff' },
  { hex: '49492b00', family: 'tiff', format: 'tiff' },
  { hex: '4d4d002b', family: 'tiff', format: 'tiff' },
  { hex: '89504e470d0a1a0a', family: 'image', format: 'png', mime: 'image/png' },
  { hex: 'ffd8ff', family: 'image', format: 'jpeg', mime: 'image/jpeg' },
  { hex: '474946383761', family: 'image', format: 'gif', mime: 'image/gif' },
  { hex: '474946383961', family: 'image', format: 'gif', mime: 'image/gif' },
  { at: 8, hex: '57454250', family: 'image', format: 'webp', mime: 'image/webp' },
  { at: 4, hex: '6674797061766966', family: 'image', format: 'avif', mime: 'image/avif' },
  { at: 4, hex: '6674797061766973', family: 'image', format: 'avif', mime: 'image/avif' },
  { at: 4, hex: '66747970686569', family: 'other', format: 'heic' },
  { at: 4, hex: '667479706d696631', family: 'other', format: 'heic' },
  { at: 4, hex: '66747970', family: 'other', format: 'video' },
  { hex: '1a45dfa3', family: 'other', format: 'video' },
  { hex: '0000000c6a502020', family: 'other', format: 'jpeg2000' },
  { hex: 'ff4fff51', family: 'other', format: 'jpeg2000' },
  { hex: '50415231', family: 'parquet', format: 'parquet' },
  { hex: '42414d01', family: 'other', format: 'bam' },
  { hex: '4352414d', family: 'other', format: 'cram' },
  { hex: '424346', family: 'other', format: 'bcf' },
  { hex: '54424901', family: 'other', format: 'index' },
  { hex: '43534901', family: 'other', format: 'index' },
  { hex: '42414901', family: 'other', format: 'index' },
  { hex: '504b0304', family: 'other', format: 'zip' },
  { hex: 'd0cf11e0a1b11ae1', family: 'other', format: 'office' },
  { hex: '53514c69746520666f726d6174203300', family: 'other', format: 'sqlite' },
  { hex: '894844460d0a1a0a', family: 'other', format: 'hdf5' },
  { at: 344, hex: '6e2b3100', family: 'other', format: 'nifti' },
  { hex: '4f676753', family: 'other', format: 'audio' },
  { hex: '494433', family: 'other', format: 'audio' },
  { hex: '664c6143', family: 'other', format: 'audio' },
  { hex: '7f454c46', family: 'other', format: 'program' },
]

const PDF_WITHIN = 1024
const HINTS: readonly { readonly ending: RegExp; readonly family: Family; readonly format: Format }[] = [
  { ending: /\.csv$/i, family: 'table', format: 'csv' },
  { ending: /\.(tsv|tab)$/i, family: 'table', format: 'tsv' },
  { ending: /\.bed$/i, family: 'table', format: 'bed' },
]

/** What endings of names promise, where it can be told apart. */
const PROMISES: readonly { readonly ending: RegExp; readonly families: readonly Family[] }[] = [
  { ending: /\.(png|jpe?g|gif|webp|avif|bmp)$/i, families: ['image'] },
  { ending: /\.(tiff?|svs)$/i, families: ['tiff'] },
  { ending: /\.(dcm|dicom)$/i, families: ['dicom'] },
  { ending: /\.pdf$/i, families: ['pdf'] },
  { ending: /\.parquet$/i, families: ['parquet'] },
  { ending: /\.(csv|tsv|tab|bed|txt|json|md)$/i, families: ['table', 'text', 'variants'] },
  { ending: /\.vcf$/i, families: ['variants'] },
]

/** Judges the first bytes of a file: give at least 1 KiB where there is so much. */
export function kindOf(head: Uint8Array, name: string): Kind {
  const kind = byContent(head, name)
  const promised = PROMISES.find(({ ending }) => ending.test(name))
  return promised === undefined || promised.families.includes(kind.family) ? kind : { ...kind, misnamed: true }
}

function byContent(head: Uint8Array, name: string): Kind {
  if (head[0] === 0x1f && head[1] === 0x8b) return { family: 'gzip', format: isBgzip(head) ? 'bgzip' : 'gzip' }
  if (startsAt(head, 0, '52494646') && startsAt(head, 8, '57415645')) return { family: 'other', format: 'audio' }
  for (const { at = 0, hex, family, format, mime } of MAGIC) {
    if (!startsAt(head, at, hex)) continue
    if (format === 'webp' && !startsAt(head, 0, '52494646')) continue
    if (format === 'zip' && /\.(docx|xlsx|pptx|odt|ods|odp)$/i.test(name)) return { family, format: 'office' }
    return { family, format, ...(mime === undefined ? {} : { mime }) }
  }
  if (latin(head.subarray(0, PDF_WITHIN)).includes('%PDF-')) return { family: 'pdf', format: 'pdf' }
  if (startsAt(head, 0, '424d') && head.length > 26 && head[14]! >= 12) return { family: 'image', format: 'bmp', mime: 'image/bmp' }
  if (isBareDicom(head)) return { family: 'dicom', format: 'dicom' }
  if (encodingOf(head) === undefined) return { family: 'other', format: 'unknown' }
  return byText(latin(head.subarray(0, PDF_WITHIN)).replace(/^\u00ef\u00bb\u00bf/, ''), name)
}

function byText(text: string, name: string): Kind {
  if (text.startsWith('##fileformat=VCF')) return { family: 'variants', format: 'vcf' }
  if (/^\s*(?:<!doctype html|<html|<head|<body|<script)/i.test(text)) return { family: 'text', format: 'html' }
  const hint = HINTS.find(({ ending }) => ending.test(name))
  if (hint !== undefined) return { family: hint.family, format: hint.format }
  if (/\.(json|geojson)$/i.test(name) && /^\s*[[{]/.test(text)) return { family: 'text', format: 'json' }
  return { family: 'text', format: 'text' }
}

/** RFC 1952 with the extra field BC of SAM v1, section 4.1. */
export function isBgzip(head: Uint8Array): boolean {
  return (head[3]! & 4) !== 0 && head[10] === 6 && head[11] === 0 && head[12] === 66 && head[13] === 67 && head[14] === 2 && head[15] === 0
}

/** Data elements without the preamble, as old programs write them: group 2 or 8, explicit in either byte order, or implicit. */
function isBareDicom(head: Uint8Array): boolean {
  if (head.length < 16) return false
  const explicit = /^(?:UL|OB|UI|SH|LO|CS|DA|TM|DT)$/.test(latin(head.subarray(4, 6)))
  if (explicit && head[0] === 0 && head[1] === 8 && head[2] === 0 && head[3]! <= 0x18) return true
  const group = head[0]! | (head[1]! << 8)
  const element = head[2]! | (head[3]! << 8)
  if ((group !== 2 && group !== 8) || element > 0x18) return false
  if (explicit) return true
  const length = head[4]! | (head[5]! << 8) | (head[6]! << 16) | (head[7]! << 24)
  return group === 8 && length > 0 && length <= 64 && length % 2 === 0
}

function startsAt(head: Uint8Array, at: number, hex: string): boolean {
  if (head.length < at + hex.length / 2) return false
  for (let index = 0; index < hex.length; index += 2) {
    if (head[at + index / 2] !== Number.parseInt(hex.slice(index, index + 2), 16)) return false
  }
  return true
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
