// Which directories of a TIFF are levels of one picture, how large a pixel is, and how much the scanner magnified.
import type { Tiff, TiffDirectory } from './tiff.ts'

export interface Pyramid {
  /** The largest first. */
  readonly levels: readonly TiffDirectory[]
  /** Side of a pixel of the largest level. */
  readonly micrometres: number | undefined
  /** Power of the objective as the scanner says it; else guessed from the size of a pixel. */
  readonly magnification: { readonly power: number; readonly guessed: boolean } | undefined
  /** Pictures of the same size as the largest, such as channels or depths, of which only the first is shown. */
  readonly others: number
  /** Pictures of the label and the whole glass: not shown, since names stand on labels. */
  readonly hidden: number
}

/** Levels must have the same shape, within a pixel or two of rounding and this share. */
const SHAPE_SHARE = 0.01
/** Where a pixel is larger than this, the tags speak of a printer and not of a microscope. */
const MICROMETRES_MAX = 20
const MICROMETRES_MIN = 0.01
/** Usual scanners: 0.25 micrometres at 40 times. */
const POWER_MICROMETRES = 10

export function pyramidOf({ directories }: Pick<Tiff, 'directories'>): Pyramid {
  const pictures = directories.filter((directory) => !isAside(directory))
  const tiled = pictures.filter((directory) => directory.tiled)
  const main = largest(tiled.length > 0 ? tiled : pictures.length > 0 ? pictures : directories)
  const family = [main, ...main.children, ...(main.tiled ? tiled : [])]
  const levels: TiffDirectory[] = []
  for (const directory of family.toSorted((a, b) => b.width * b.height - a.width * a.height)) {
    const last = levels.at(-1)
    if (last !== undefined && directory.width >= last.width) continue
    if (!alike(main, directory)) continue
    levels.push(directory)
  }
  const micrometres = micrometresOf(main)
  return {
    levels,
    micrometres,
    magnification: magnificationOf(main, micrometres),
    others: pictures.filter((directory) => directory !== main && directory.width === main.width && directory.height === main.height).length,
    hidden: directories.length - pictures.length,
  }
}

/** Aperio and others keep the label and an overview of the glass beside the tissue. */
function isAside({ description, subfile }: TiffDirectory): boolean {
  if (/^(?:label|macro|overview)\b/i.test(description) || /^Aperio[^\n]*\r?\n(?:label|macro)\b/i.test(description)) return true
  return subfile === 9 || (subfile & 4) !== 0
}

function largest(directories: readonly TiffDirectory[]): TiffDirectory {
  return directories.reduce((best, directory) => (directory.width * directory.height > best.width * best.height ? directory : best))
}

function alike(main: TiffDirectory, other: TiffDirectory): boolean {
  if (other === main) return true
  if (other.samples !== main.samples || other.bits[0] !== main.bits[0] || other.tiled !== main.tiled) return false
  const across = other.width / main.width
  const down = other.height / main.height
  const rounding = 2 / Math.min(other.width, other.height)
  return Math.abs(across / down - 1) <= SHAPE_SHARE + rounding
}

function micrometresOf(main: TiffDirectory): number | undefined {
  const said = aperio(main.description, 'MPP') ?? ome(main.description)
  if (said !== undefined) return plausible(said)
  if (main.resolution === undefined) return undefined
  const { x, unit } = main.resolution
  if (unit === 3) return plausible(10_000 / x)
  return unit === 2 ? plausible(25_400 / x) : undefined
}

function magnificationOf(main: TiffDirectory, micrometres: number | undefined): Pyramid['magnification'] {
  const power = aperio(main.description, 'AppMag') ?? objective(main.description)
  if (power !== undefined && power > 0 && power <= 400) return { power, guessed: false }
  return micrometres === undefined ? undefined : { power: POWER_MICROMETRES / micrometres, guessed: true }
}

function plausible(micrometres: number): number | undefined {
  return micrometres >= MICROMETRES_MIN && micrometres <= MICROMETRES_MAX ? micrometres : undefined
}

/** `|MPP = 0.4990|` of Aperio's description. */
function aperio(description: string, name: string): number | undefined {
  const value = new RegExp(`\\|\\s*${name}\\s*=\\s*([0-9.]+)`).exec(description)?.[1]
  return value === undefined ? undefined : Number(value)
}

/** OME-XML: PhysicalSizeX is in micrometres unless it says another unit. */
function ome(description: string): number | undefined {
  const pixels = /<Pixels\b[^>]{0,4000}>/.exec(description)?.[0]
  const size = pixels === undefined ? undefined : /\bPhysicalSizeX="([0-9.eE+-]+)"/.exec(pixels)?.[1]
  if (pixels === undefined || size === undefined) return undefined
  const unit = /\bPhysicalSizeXUnit="([^"]{1,4})"/.exec(pixels)?.[1] ?? 'µm'
  const scale = { µm: 1, μm: 1, um: 1, nm: 0.001, mm: 1000, cm: 10_000 }[unit]
  return scale === undefined ? undefined : Number(size) * scale
}

function objective(description: string): number | undefined {
  const value = /\bNominalMagnification="([0-9.]+)"/.exec(description)?.[1]
  return value === undefined ? undefined : Number(value)
}
