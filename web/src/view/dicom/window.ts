// From stored values to grey: the modality's line, then a window of centre and width (PS3.3, C.11.1 and C.11.2).
import type { DicomFile } from './dicom-file.ts'
import type { Dataset } from './dataset.ts'

export interface Line {
  readonly slope: number
  readonly intercept: number
}

export interface Window {
  readonly centre: number
  readonly width: number
}

export type PresetName = 'brain' | 'lung' | 'abdomen' | 'bone' | 'mediastinum'

/** Usual windows of computed tomography, in Hounsfield units. */
export const CT_PRESETS: Readonly<Record<PresetName, Window>> = {
  brain: { centre: 40, width: 80 },
  lung: { centre: -600, width: 1500 },
  abdomen: { centre: 60, width: 400 },
  bone: { centre: 400, width: 1800 },
  mediastinum: { centre: 50, width: 350 },
}

export function lineOf(file: DicomFile, frame: Dataset = file.dataset): Line {
  const slope = file.number(0x00281053, frame)
  return { slope: slope === undefined || slope === 0 ? 1 : slope, intercept: file.number(0x00281052, frame) ?? 0 }
}

/** The first window that the file names. */
export function windowOf(file: DicomFile, frame: Dataset = file.dataset): Window | undefined {
  const centre = file.number(0x00281050, frame)
  const width = file.number(0x00281051, frame)
  return centre === undefined || width === undefined || width <= 0 ? undefined : { centre, width }
}

/** The window in which every value that occurs is seen. */
export function wholeWindow(values: ArrayLike<number>, { slope, intercept }: Line): Window {
  let [low, high] = [Infinity, -Infinity]
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!
    if (value < low) low = value
    if (value > high) high = value
  }
  if (!(low < high)) return { centre: (Number.isFinite(low) ? low : 0) * slope + intercept, width: 1 }
  const ends = [low * slope + intercept, high * slope + intercept]
  const width = Math.abs(ends[1]! - ends[0]!) + Math.abs(slope)
  return { centre: (ends[0]! + ends[1]!) / 2 + Math.abs(slope) / 2, width }
}

/** Grey as colours of a screen. `inverted`: the smallest value is white. C.11.2.1.2.1, with the centre and width as they stand. */
export function greyOf(values: ArrayLike<number>, line: Line, window: Window, inverted: boolean): Uint8ClampedArray<ArrayBuffer> {
  const width = Math.max(window.width, 1e-6)
  const scale = width > 1 ? 255 / (width - 1) : 255
  const offset = width > 1 ? (0.5 - (window.centre - 0.5) / (width - 1)) * 255 : 127.5 - window.centre * 255
  const a = line.slope * scale
  const b = line.intercept * scale + offset
  const rgba = new Uint8ClampedArray(values.length * 4)
  const words = new Uint32Array(rgba.buffer)
  for (let index = 0; index < values.length; index++) {
    const value = values[index]! * a + b
    let grey = value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0
    if (inverted) grey = 255 - grey
    words[index] = 0xff000000 | (grey << 16) | (grey << 8) | grey
  }
  return rgba
}
