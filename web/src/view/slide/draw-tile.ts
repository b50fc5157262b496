// A tile drawn by the browser, cut to what of it belongs to the picture.
import { CannotShow } from '../cannot-show.ts'
import type { Tile } from './slide.ts'

interface DrawRequest {
  readonly tile: Tile
  /** Of the picture; a tile at its edge holds more. */
  readonly width: number
  readonly height: number
}

export async function drawTile({ tile, width, height }: DrawRequest, signal: AbortSignal): Promise<CanvasRenderingContext2D> {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  if (context === null) throw new CannotShow('too-large', 'canvas')
  if (tile.kind === 'nothing') return context
  if (tile.kind === 'colours') {
    context.putImageData(new ImageData(tile.rgba, tile.width, tile.height), 0, 0)
    return context
  }
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(new Blob([tile.bytes as Uint8Array<ArrayBuffer>], { type: tile.mime }))
  } catch (error) {
    throw new CannotShow('damaged', tile.mime, { cause: error })
  }
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  signal.throwIfAborted()
  return context
}
