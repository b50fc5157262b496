// From samples to the points of a curve: time goes right, more goes up, and what is worst in a pixel is what it shows.

export interface CurvePoint {
  /** Milliseconds. */
  readonly at: number
  readonly value: number
}

export interface CurveBox {
  readonly width: number
  readonly height: number
  readonly fromMs: number
  readonly untilMs: number
}

/** Silence longer than this breaks the curve: the site did not run. */
const GAP_HOURS = 36
const HOUR_MS = 3_600_000

/** Stretches of the curve as SVG paths, each a filled area down to the ground. Steps, since a sample says nothing of the time between. */
export function areaPaths(points: readonly CurvePoint[], box: CurveBox): string[] {
  const most = Math.max(1, ...points.map(({ value }) => value))
  const x = (at: number): number => Math.round(((at - box.fromMs) / Math.max(1, box.untilMs - box.fromMs)) * box.width * 10) / 10
  const y = (value: number): number => Math.round((1 - value / most) * box.height * 10) / 10
  return stretches(worstOfEachPixel(points, box)).map((stretch) => {
    const last = stretch.at(-1)!
    const end = Math.min(box.width, x(last.at) + 2)
    const steps = stretch.map(({ at, value }, index) => `${index === 0 ? '' : `H${x(at)}`}V${y(value)}`).join('')
    return `M${x(stretch[0]!.at)} ${box.height}${steps}H${end}V${box.height}Z`
  })
}

export function worstOfEachPixel(points: readonly CurvePoint[], box: CurveBox): CurvePoint[] {
  const scale = box.width / Math.max(1, box.untilMs - box.fromMs)
  const pixels = new Map<number, CurvePoint>()
  for (const point of points) {
    const pixel = Math.floor((point.at - box.fromMs) * scale)
    const known = pixels.get(pixel)
    if (known === undefined || point.value > known.value) pixels.set(pixel, point)
  }
  return [...pixels.values()].toSorted((a, b) => a.at - b.at)
}

function stretches(points: readonly CurvePoint[]): CurvePoint[][] {
  const all: CurvePoint[][] = []
  for (const point of points) {
    const open = all.at(-1)
    const before = open?.at(-1)
    if (open === undefined || before === undefined || point.at - before.at > GAP_HOURS * HOUR_MS) all.push([point])
    else open.push(point)
  }
  return all
}
