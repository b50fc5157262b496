// Which part of the world a map shows, and where things stand on it. Equirectangular, in tenths of a degree, as the outlines are.

export interface Point {
  readonly latitude: number
  readonly longitude: number
}

export interface Frame {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Never closer than so many degrees: outlines of one to 110 million show no more. */
const SPAN_MIN = 14
const MARGIN = 0.35
/** Width to height. */
const RATIO = 2

export function xOf({ longitude }: Point): number {
  return (longitude + 180) * 10
}

export function yOf({ latitude }: Point): number {
  return (90 - latitude) * 10
}

/** The smallest frame around the points with some margin, within the world; the whole world for none. */
export function frameOf(points: readonly Point[]): Frame {
  if (points.length === 0) return { x: 0, y: 0, width: 3600, height: 1800 }
  const xs = points.map(xOf)
  const ys = points.map(yOf)
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const spread = Math.max((right - left) * (1 + MARGIN * 2), (bottom - top) * (1 + MARGIN * 2) * RATIO, SPAN_MIN * 10 * RATIO)
  const width = Math.min(3600, spread)
  const height = width / RATIO
  const clamp = (value: number, most: number): number => Math.max(0, Math.min(most, value))
  return { x: clamp((left + right) / 2 - width / 2, 3600 - width), y: clamp((top + bottom) / 2 - height / 2, 1800 - height), width, height }
}

export interface Spot {
  readonly x: number
  readonly y: number
  /** The name stands above it, since another one is close below. */
  readonly nameAbove: boolean
}

/** Points that would cover each other are drawn side by side. */
export function apart<T extends Point>(points: readonly T[], frame: Frame): readonly (T & Spot)[] {
  const near = frame.width / 40
  const placed: (T & { readonly x: number; readonly y: number })[] = []
  for (const point of points) {
    let [x, y] = [xOf(point), yOf(point)]
    for (let tries = 0; tries < points.length && placed.some((other) => Math.hypot(other.x - x, other.y - y) < near); tries++) x += near
    placed.push({ ...point, x, y })
  }
  const [wide, high] = [frame.width / 10, frame.width / 20]
  return placed.map((one) => ({
    ...one,
    nameAbove: placed.some((other) => Math.abs(other.x - one.x) < wide && other.y > one.y && other.y - one.y < high),
  }))
}
