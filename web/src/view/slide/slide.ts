// A slide as its viewer sees it, whatever file it came from: levels of tiles.

export interface SlideLevel {
  readonly width: number
  readonly height: number
  readonly tileWidth: number
  readonly tileHeight: number
}

/** A tile as it comes: a whole JPEG (or another picture that browsers know), or colours. It may be larger than what of it belongs to the picture. */
export type Tile =
  | { readonly kind: 'encoded'; readonly bytes: Uint8Array; readonly mime: string }
  | { readonly kind: 'colours'; readonly width: number; readonly height: number; readonly rgba: Uint8ClampedArray<ArrayBuffer> }
  | { readonly kind: 'nothing' }

/** What a viewer should say about a picture; each language has a sentence. */
export type SlideNote = 'stretched' | 'one-of-many' | 'label-hidden' | 'no-scale' | 'sparse'

export interface Slide {
  /** The largest first; each next one is smaller. */
  readonly levels: readonly SlideLevel[]
  /** Side of a pixel of the largest level. */
  readonly micrometres: number | undefined
  readonly magnification: { readonly power: number; readonly guessed: boolean } | undefined
  readonly notes: readonly SlideNote[]
  readonly how: string
  tile(place: TilePlace, signal: AbortSignal): Promise<Tile>
}

export interface TilePlace {
  readonly level: number
  readonly column: number
  readonly row: number
}

export function columnsOf({ width, tileWidth }: SlideLevel): number {
  return Math.ceil(width / tileWidth)
}

export function rowsOf({ height, tileHeight }: SlideLevel): number {
  return Math.ceil(height / tileHeight)
}

/** Round length in micrometres for a bar of about `pixelsWanted` pixels, and how many pixels that is. */
export function scaleBar(
  micrometresPerPixel: number,
  pixelsWanted: number,
): { readonly micrometres: number; readonly pixels: number } | undefined {
  const wanted = micrometresPerPixel * pixelsWanted
  if (!Number.isFinite(wanted) || wanted <= 0) return undefined
  const power = 10 ** Math.floor(Math.log10(wanted))
  const step = [5, 2, 1].find((digit) => digit * power <= wanted * (1 + 1e-9)) ?? 1
  const micrometres = step * power
  return { micrometres, pixels: micrometres / micrometresPerPixel }
}
