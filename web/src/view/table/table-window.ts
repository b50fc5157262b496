// Which rows of a very long table are drawn, and what the scroll bar means: browsers bear only so tall a page.

/** Firefox draws nothing below 17.9 million pixels. */
export const HEIGHT_PIXELS_MAX = 8_000_000

interface Shape {
  readonly rows: number
  readonly rowPixels: number
  readonly viewPixels: number
}

export interface TableWindow {
  readonly first: number
  /** One past the last row drawn. */
  readonly end: number
  /** Where row `first` is drawn, in the scrolled content. */
  readonly topPixels: number
}

/** Height of the scrolled content. */
export function contentPixels({ rows, rowPixels }: Pick<Shape, 'rows' | 'rowPixels'>): number {
  return Math.min(HEIGHT_PIXELS_MAX, rows * rowPixels)
}

export function windowAt(scrollPixels: number, shape: Shape): TableWindow {
  const { rows, rowPixels, viewPixels } = shape
  const visible = Math.ceil(viewPixels / rowPixels) + 1
  const top = topRow(scrollPixels, shape)
  const first = Math.max(0, Math.min(rows - 1, Math.floor(top)))
  const end = Math.min(rows, first + visible)
  return { first, end, topPixels: Math.max(0, Math.min(scrollPixels, contentPixels(shape)) - (top - first) * rowPixels) }
}

/** The scroll position at which `row` is the first one seen. */
export function scrollTo(row: number, shape: Shape): number {
  const { rows, rowPixels, viewPixels } = shape
  const most = Math.max(0, rows - viewPixels / rowPixels)
  const range = Math.max(0, contentPixels(shape) - viewPixels)
  return most === 0 ? 0 : (Math.max(0, Math.min(most, row)) / most) * range
}

/** The row at the upper edge, with its part. */
function topRow(scrollPixels: number, shape: Shape): number {
  const { rows, rowPixels, viewPixels } = shape
  const most = Math.max(0, rows - viewPixels / rowPixels)
  const range = Math.max(0, contentPixels(shape) - viewPixels)
  return range === 0 ? 0 : (Math.max(0, Math.min(range, scrollPixels)) / range) * most
}
