// The images of a stack, unpacked: those seen last are kept, up to a bound.
import { CannotShow } from '../cannot-show.ts'
import { wholeJpeg } from '../slide/jpeg-tables.ts'
import type { DicomFile } from './dicom-file.ts'
import { frameTable, type FrameTable } from './frames.ts'
import { paletteOf, pixelShape, refusePacking, unpackFrame } from './pixels.ts'
import type { StackImage } from './series.ts'
import { type Line, lineOf, type Window, wholeWindow, windowOf } from './window.ts'

export interface ShownImage {
  readonly width: number
  readonly height: number
  readonly pixels:
    | { readonly kind: 'values'; readonly values: Int32Array | Float32Array }
    | { readonly kind: 'colours'; readonly picture: ImageData }
  readonly line: Line
  /** As the file wants it to be seen. */
  readonly window: Window | undefined
  readonly whole: Window
  readonly inverted: boolean
  /** Millimetres between the centres of rows and of columns. */
  readonly spacing: { readonly row: number; readonly column: number } | undefined
  /** Height of a pixel by its width. */
  readonly aspect: number
  readonly modality: string
}

const KEPT_BYTES_MAX = 160 * 2 ** 20

export interface ImageStore {
  image(wanted: StackImage): Promise<ShownImage>
}

export function createImageStore(open: (path: string) => Promise<DicomFile>, signal: AbortSignal): ImageStore {
  const kept = new Map<string, { readonly image: Promise<ShownImage>; bytes: number }>()
  const tables = new WeakMap<DicomFile, Promise<FrameTable>>()
  let keptBytes = 0
  return {
    image: ({ path, frame }) => {
      const key = `${frame} ${path}`
      const known = kept.get(key)
      if (known !== undefined) {
        kept.delete(key)
        kept.set(key, known)
        return known.image
      }
      const entry = { image: load(path, frame), bytes: 0 }
      kept.set(key, entry)
      entry.image.then(
        (image) => {
          if (kept.get(key) !== entry) return
          entry.bytes = image.width * image.height * 4
          keptBytes += entry.bytes
          for (const [oldest, old] of kept) {
            if (keptBytes <= KEPT_BYTES_MAX || oldest === key) break
            kept.delete(oldest)
            keptBytes -= old.bytes
          }
        },
        () => kept.delete(key),
      )
      return entry.image
    },
  }

  async function load(path: string, frame: number): Promise<ShownImage> {
    const file = await open(path)
    const shape = pixelShape(file)
    refusePacking(shape)
    const table = tables.get(file) ?? frameTable(file, signal)
    tables.set(file, table)
    const frames = await table.catch((error: unknown) => {
      tables.delete(file)
      throw error
    })
    const pixels = await unpackFrame(await frames.read(frame, signal), shape, paletteOf(file))
    signal.throwIfAborted()
    const { groups, spacing, aspect } = geometryOf(file, frame)
    const line = lineOf(file, groups)
    const common = {
      width: shape.width,
      height: shape.height,
      line,
      window: windowOf(file, groups),
      inverted: shape.photometric === 'MONOCHROME1',
      spacing,
      aspect,
      modality: file.string(0x00080060),
    }
    if (pixels.kind === 'values') return { ...common, pixels, whole: wholeWindow(pixels.values, line) }
    const picture = pixels.kind === 'colours' ? new ImageData(pixels.rgba, shape.width, shape.height) : await decoded(pixels, shape)
    return { ...common, pixels: { kind: 'colours', picture }, whole: { centre: 128, width: 256 } }
  }
}

async function decoded(
  { bytes }: { readonly bytes: Uint8Array },
  { photometric, width, height }: { photometric: string; width: number; height: number },
): Promise<ImageData> {
  const jpeg = wholeJpeg(bytes, undefined, photometric === 'RGB' ? 2 : 6)
  try {
    const bitmap = await createImageBitmap(new Blob([jpeg as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' }))
    const context = new OffscreenCanvas(width, height).getContext('2d')!
    context.drawImage(bitmap, 0, 0)
    bitmap.close()
    return context.getImageData(0, 0, width, height)
  } catch (error) {
    throw new CannotShow('damaged', 'JPEG', { cause: error })
  }
}

/** Of enhanced objects each frame has its own; PS3.3, C.7.6.16. */
function geometryOf(
  file: DicomFile,
  frame: number,
): { readonly groups: DicomFile['dataset']; readonly spacing: ShownImage['spacing']; readonly aspect: number } {
  const shared = file.dataset.get(0x52009229)?.items?.[0]
  const own = file.dataset.get(0x52009230)?.items?.[frame]
  const group = (tag: number): DicomFile['dataset'] | undefined => own?.get(tag)?.items?.[0] ?? shared?.get(tag)?.items?.[0]
  const groups = new Map([...file.dataset, ...(group(0x00289145) ?? []), ...(group(0x00289132) ?? [])])
  const measures = group(0x00289110) ?? file.dataset
  const [row, column] = file.numbers(0x00280030, measures).length === 2 ? file.numbers(0x00280030, measures) : file.numbers(0x00181164)
  const spacing = row !== undefined && column !== undefined && row > 0 && column > 0 ? { row, column } : undefined
  const [down, across] = file.numbers(0x00280034)
  const aspect =
    spacing === undefined ? (down !== undefined && across !== undefined && across > 0 ? down / across : 1) : spacing.row / spacing.column
  return { groups, spacing, aspect: aspect > 0.05 && aspect < 20 ? aspect : 1 }
}
