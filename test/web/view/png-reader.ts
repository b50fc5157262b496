// The pixels of a plain PNG (8 bits, RGB or RGBA, not interlaced), for tests that need a real picture without a decoder (RFC 2083, 6).
import { inflateSync } from 'node:zlib'

export interface Picture {
  /** RGB, row by row. */
  readonly picture: Buffer
  readonly width: number
  readonly height: number
}

export function readPng(png: Buffer): Picture {
  const [width, height, depth, colour] = [png.readUInt32BE(16), png.readUInt32BE(20), png[24], png[25]]
  if (depth !== 8 || (colour !== 2 && colour !== 6) || png[28] !== 0) throw new Error('not a plain PNG')
  const parts: Buffer[] = []
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  const raw = inflateSync(Buffer.concat(parts))
  const samples = colour === 6 ? 4 : 3
  const stride = width * samples
  const rows = Buffer.alloc(stride * height)
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)]!
    for (let x = 0; x < stride; x++) {
      const a = x >= samples ? rows[y * stride + x - samples]! : 0
      const b = y > 0 ? rows[(y - 1) * stride + x]! : 0
      const c = x >= samples && y > 0 ? rows[(y - 1) * stride + x - samples]! : 0
      const predicted = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter]!
      rows[y * stride + x] = raw[y * (stride + 1) + 1 + x]! + predicted
    }
  }
  const picture = Buffer.alloc(width * height * 3)
  for (let pixel = 0; pixel < width * height; pixel++) picture.set(rows.subarray(pixel * samples, pixel * samples + 3), pixel * 3)
  return { picture, width, height }
}

function paeth(a: number, b: number, c: number): number {
  const p = a + b - c
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)]
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c
}
