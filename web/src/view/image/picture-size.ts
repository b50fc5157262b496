// Width and height of a picture by its own header, before a browser unpacks all of it.
export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** Undefined where the header does not say it within the bytes given. */
export function pictureSize(head: Uint8Array, format: string): PictureSize | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  try {
    switch (format) {
      case 'png':
        return { width: view.getUint32(16), height: view.getUint32(20) }
      case 'gif':
        return { width: view.getUint16(6, true), height: view.getUint16(8, true) }
      case 'bmp':
        return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) }
      case 'jpeg':
        return jpegSize(view)
      case 'webp':
        return webpSize(view)
      default:
        return undefined
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** The first frame header (ITU T.81, B.2.2): SOF0 to SOF15 without the tables among them. */
function jpegSize(view: DataView): PictureSize | undefined {
  let at = 2
  while (view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1)
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) }
    if (marker === 0xda) return undefined
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2)
  }
  return undefined
}

/** RFC 9649: simple lossy, lossless and extended. */
function webpSize(view: DataView): PictureSize | undefined {
  const chunk = view.getUint32(12)
  if (chunk === 0x56503820) return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
  if (chunk === 0x5650384c) {
    const bits = view.getUint32(21, true)
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  }
  if (chunk !== 0x56503858) return undefined
  const three = (at: number): number => view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
  return { width: three(24) + 1, height: three(27) + 1 }
}
