// Tells the stylesheets how high something is, so that nothing sticky or fixed ever covers what the person is using.
import { useEffect, useRef, type RefObject } from 'react'

/** Keeps `variable` (like `--dock-height`) at the height of the element, and at 0 without it. */
export function usePublishedHeight<T extends HTMLElement>(variable: `--${string}`, present: boolean): RefObject<T | null> {
  const element = useRef<T>(null)
  useEffect(() => {
    const { style } = document.documentElement
    const target = element.current
    if (target === null || !present) return
    const observer = new ResizeObserver(() => style.setProperty(variable, `${target.offsetHeight}px`))
    observer.observe(target)
    return () => {
      observer.disconnect()
      style.removeProperty(variable)
    }
  }, [variable, present])
  return element
}
