// JPEG tiles of a TIFF leave their tables in the directory (TIFF technical note 2): both are put together for a decoder that knows only whole files.

/** `photometric` 2 = the samples are red, green and blue, which JPEG can only say by Adobe's marker. */
export function wholeJpeg(tile: Uint8Array, tables: Uint8Array | undefined, photometric: number): Uint8Array {
  if (tile[0] !== 0xff || tile[1] !== 0xd8) return tile
  const inner = tables === undefined ? new Uint8Array(0) : withoutFrame(tables)
  const adobe = photometric === 2 && !hasColourMarker(tile) ? ADOBE_RGB : new Uint8Array(0)
  const whole = new Uint8Array(tile.length + inner.length + adobe.length)
  whole.set([0xff, 0xd8])
  whole.set(adobe, 2)
  whole.set(inner, 2 + adobe.length)
  whole.set(tile.subarray(2), 2 + adobe.length + inner.length)
  return whole
}

/** APP14 "Adobe", version 100, transform 0: no conversion of colours. */
const ADOBE_RGB = Uint8Array.of(0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0)

/** Tables without the start and end of image around them. */
function withoutFrame(tables: Uint8Array): Uint8Array {
  const start = tables[0] === 0xff && tables[1] === 0xd8 ? 2 : 0
  const ends = tables.length >= 2 && tables.at(-2) === 0xff && tables.at(-1) === 0xd9
  return tables.subarray(start, tables.length - (ends ? 2 : 0))
}

/** True when a segment before the scan already says which colours these are. */
function hasColourMarker(jpeg: Uint8Array): boolean {
  let at = 2
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff) {
    const marker = jpeg[at + 1]!
    if (marker === 0xda) return false
    if (marker === 0xee || marker === 0xe0) return true
    at += 2 + ((jpeg[at + 2]! << 8) | jpeg[at + 3]!)
  }
  return false
}
