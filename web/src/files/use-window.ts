// Which rows of a long list are near the screen: only those are drawn.
import { useEffect, useState, type RefObject } from 'react'

const DRAWN_WHOLE_MAX = 120
const SPARE = 12

export interface RowWindow {
  readonly first: number
  /** One past the last row drawn. */
  readonly end: number
}

export function useWindow({
  body,
  count,
  rowPixels,
}: {
  readonly body: RefObject<HTMLElement | null>
  readonly count: number
  readonly rowPixels: number
}): RowWindow {
  const [rows, setRows] = useState<RowWindow>({ first: 0, end: Math.min(count, DRAWN_WHOLE_MAX) })
  useEffect(() => {
    if (count <= DRAWN_WHOLE_MAX) {
      setRows({ first: 0, end: count })
      return
    }
    let frame = 0
    const measure = (): void => {
      frame = 0
      const top = body.current?.getBoundingClientRect().top ?? 0
      setRows((before) => {
        const next = rowsNear({ top, viewport: innerHeight, count, rowPixels })
        return next.first === before.first && next.end === before.end ? before : next
      })
    }
    const later = (): void => {
      frame ||= requestAnimationFrame(measure)
    }
    measure()
    addEventListener('scroll', later, { passive: true })
    addEventListener('resize', later)
    return () => {
      cancelAnimationFrame(frame)
      removeEventListener('scroll', later)
      removeEventListener('resize', later)
    }
  }, [body, count, rowPixels])
  return { first: Math.min(rows.first, count), end: Math.min(rows.end, count) }
}

/** The rows between `top` (of the list, relative to the screen) and the screen's end, with some to spare. */
export function rowsNear({
  top,
  viewport,
  count,
  rowPixels,
}: {
  top: number
  viewport: number
  count: number
  rowPixels: number
}): RowWindow {
  const first = Math.max(0, Math.min(count - 1, Math.floor(-top / rowPixels) - SPARE))
  const end = Math.min(count, Math.ceil((viewport - top) / rowPixels) + SPARE)
  return { first, end: Math.max(end, Math.min(count, first + 1)) }
}
