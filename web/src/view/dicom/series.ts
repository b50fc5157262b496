// Which files of a folder are one series, and in which order its images stand.
import type { DicomFile } from './dicom-file.ts'

export interface ImageFacts {
  readonly path: string
  readonly series: string
  readonly instance: number | undefined
  readonly frames: number
  /** Where the image lies along the normal of its plane, in millimetres. */
  readonly position: number | undefined
  readonly slide: boolean
}

/** One image of a stack: a frame of a file. */
export interface StackImage {
  readonly path: string
  readonly frame: number
}

export const SLIDE_CLASS = '1.2.840.10008.5.1.4.1.1.77.1.6'

export function factsOf(path: string, file: DicomFile): ImageFacts {
  return {
    path,
    series: file.string(0x0020000e),
    instance: file.number(0x00200013),
    frames: Math.max(1, file.number(0x00280008) ?? 1),
    position: positionOf(file.numbers(0x00200032), file.numbers(0x00200037)),
    slide: file.string(0x00080016) === SLIDE_CLASS,
  }
}

/** The images of these files in order: by place in the body where all say it, else by number, else by name. */
export function stackOf(files: readonly ImageFacts[]): readonly StackImage[] {
  const placed = files.every((file) => file.position !== undefined) && new Set(files.map((file) => file.position)).size === files.length
  const numbered = files.every((file) => file.instance !== undefined)
  const sorted = files.toSorted((a, b) => {
    const by = placed ? a.position! - b.position! : numbered ? a.instance! - b.instance! : 0
    return by === 0 ? compareNames(a.path, b.path) : by
  })
  return sorted.flatMap(({ path, frames }) => Array.from({ length: frames }, (_, frame) => ({ path, frame })))
}

function compareNames(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

/** The image's corner along the normal of its rows and columns (PS3.3, C.7.6.2.1.1). */
function positionOf(corner: readonly number[], directions: readonly number[]): number | undefined {
  if (corner.length !== 3 || directions.length !== 6) return undefined
  const [rx, ry, rz, cx, cy, cz] = directions as [number, number, number, number, number, number]
  const normal = [ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx]
  const along = normal[0]! * corner[0]! + normal[1]! * corner[1]! + normal[2]! * corner[2]!
  return Number.isFinite(along) ? Math.round(along * 1e4) / 1e4 : undefined
}
