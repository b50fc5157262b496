// Where n places stand around a centre. Units are hundredths of the picture's width.

export interface Point {
  readonly x: number
  readonly y: number
}

export interface RingLayout {
  readonly height: number
  readonly centre: Point
  readonly places: readonly Point[]
}

/** Evenly on a circle, the first at the top, clockwise; `margin` above and below leaves room for labels. */
export function ringLayout({
  count,
  radius,
  margin,
}: {
  readonly count: number
  readonly radius: number
  readonly margin: number
}): RingLayout {
  const offsets = Array.from({ length: count }, (_, index) => {
    const angle = (index / count) * 2 * Math.PI - Math.PI / 2
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle) }
  })
  const top = Math.min(-CENTRE_ROOM, ...offsets.map(({ y }) => y - margin))
  const bottom = Math.max(CENTRE_ROOM, ...offsets.map(({ y }) => y + margin))
  const centre = { x: 50, y: -top }
  return { height: bottom - top, centre, places: offsets.map(({ x, y }) => ({ x: centre.x + x, y: centre.y + y })) }
}

const CENTRE_ROOM = 17

/** The line from the centre towards a point, leaving room for both ends. */
export function spoke({
  centre,
  to,
  gaps,
}: {
  readonly centre: Point
  readonly to: Point
  readonly gaps: { readonly centre: number; readonly place: number }
}): {
  readonly from: Point
  readonly to: Point
} {
  const dx = to.x - centre.x
  const dy = to.y - centre.y
  const length = Math.hypot(dx, dy) || 1
  return {
    from: { x: centre.x + (dx / length) * gaps.centre, y: centre.y + (dy / length) * gaps.centre },
    to: { x: to.x - (dx / length) * gaps.place, y: to.y - (dy / length) * gaps.place },
  }
}
