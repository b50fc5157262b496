// Where n places stand around a centre, as percentages of a square.

export interface Point {
  readonly x: number
  readonly y: number
}

/** Evenly on a circle, the first at the top, clockwise. */
export function aroundCentre(count: number, radius: number): readonly Point[] {
  return Array.from({ length: count }, (_, index) => {
    const angle = (index / count) * 2 * Math.PI - Math.PI / 2
    return { x: 50 + radius * Math.cos(angle), y: 50 + radius * Math.sin(angle) }
  })
}

/** The line from the centre towards a point, leaving room for both ends. */
export function spoke(to: Point, gaps: { readonly centre: number; readonly place: number }): { readonly from: Point; readonly to: Point } {
  const dx = to.x - 50
  const dy = to.y - 50
  const length = Math.hypot(dx, dy) || 1
  return {
    from: { x: 50 + (dx / length) * gaps.centre, y: 50 + (dy / length) * gaps.centre },
    to: { x: to.x - (dx / length) * gaps.place, y: to.y - (dy / length) * gaps.place },
  }
}
