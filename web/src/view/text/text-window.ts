// A long text, read on demand from its beginning, in whole characters.
import type { Bytes } from '../bytes.ts'
import { type Encoding, encodingOf, markBytes, wholeCharacters } from '../encoding.ts'

export interface TextStart {
  readonly text: string
  /** Bytes of the file that the text stands for, from its beginning. */
  readonly readBytes: number
}

/** At first, and with each further step. */
export const TEXT_STEP_BYTES = 2 ** 20
/** Shown at once; a browser does not bear more. */
export const TEXT_BYTES_MAX = 8 * 2 ** 20

/** Text behind what was read before. */
export async function moreText(bytes: Bytes, encoding: Encoding, before: TextStart, signal: AbortSignal): Promise<TextStart> {
  const first = before.readBytes
  const most = Math.min(TEXT_STEP_BYTES, TEXT_BYTES_MAX - first)
  const part = await bytes.read(first, most, signal)
  const last = first + part.length >= bytes.sizeBytes
  const end = last ? part.length : wholeCharacters(part, encoding)
  const mark = first === 0 ? markBytes(part, encoding) : 0
  const text = new TextDecoder(encoding, { ignoreBOM: true }).decode(part.subarray(mark, end))
  return { text: before.text + text, readBytes: first + end }
}

/** The encoding, and whether it is only a guess: bytes that are no UTF-8 may be any of many. */
export function textEncoding(head: Uint8Array): { readonly encoding: Encoding; readonly guessed: boolean } {
  const encoding = encodingOf(head) ?? 'windows-1252'
  return { encoding, guessed: encoding === 'windows-1252' || (encoding !== 'utf-8' && markBytes(head, encoding) === 0) }
}

/** JSON with one value in a line, when all of it is there and short enough to be read again; else undefined. */
export function arrangedJson(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text) as unknown, undefined, 2)
  } catch {
    return undefined
  }
}
