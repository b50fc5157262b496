// In which encoding bytes are written, as far as they themselves tell, and whether they are text at all.

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

/** Control characters that text has: tab, line feed, form feed, carriage return, escape. */
const TEXT_CONTROLS = new Set([9, 10, 12, 13, 27])
const CONTROLS_MAX_SHARE = 0.005

/** The encoding of text, from its first bytes; undefined when it is no text. */
export function encodingOf(head: Uint8Array): Encoding | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  const sixteen = sixteenBits(head)
  if (sixteen !== undefined) return sixteen
  let controls = 0
  for (const byte of head) {
    if (byte === 0) return undefined
    if ((byte < 32 && !TEXT_CONTROLS.has(byte)) || byte === 127) controls++
  }
  if (controls > head.length * CONTROLS_MAX_SHARE) return undefined
  if (isUtf8(head)) return 'utf-8'
  return 'windows-1252'
}

/** Length of the byte order mark that text in this encoding begins with. */
export function markBytes(head: Uint8Array, encoding: Encoding): number {
  if (encoding === 'utf-8') return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0
  if (encoding === 'utf-16le') return head[0] === 0xff && head[1] === 0xfe ? 2 : 0
  if (encoding === 'utf-16be') return head[0] === 0xfe && head[1] === 0xff ? 2 : 0
  return 0
}

/** The last byte before which a character surely ends: text is cut there, so that no character is torn. */
export function wholeCharacters(bytes: Uint8Array, encoding: Encoding): number {
  if (encoding === 'windows-1252') return bytes.length
  if (encoding !== 'utf-8') {
    const even = bytes.length - (bytes.length % 2)
    const high = encoding === 'utf-16le' ? bytes[even - 1] : bytes[even - 2]
    return high !== undefined && high >= 0xd8 && high <= 0xdb ? even - 2 : even
  }
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return bytes.length
    if (byte < 0xc0) continue
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return needs > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, wholeCharacters(bytes, 'utf-8')))
    return true
  } catch {
    return false
  }
}

/** Text of mostly Latin letters in 16 bits has a zero in every second place, and hardly any in the others. */
function sixteenBits(head: Uint8Array): Encoding | undefined {
  const pairs = Math.floor(Math.min(head.length, 2048) / 2)
  if (pairs < 4) return undefined
  let [even, odd] = [0, 0]
  for (let pair = 0; pair < pairs; pair++) {
    if (head[pair * 2] === 0) even++
    if (head[pair * 2 + 1] === 0) odd++
  }
  if (odd > pairs * 0.7 && even < pairs * 0.02) return 'utf-16le'
  if (even > pairs * 0.7 && odd < pairs * 0.02) return 'utf-16be'
  return undefined
}
