// The way from the root to this folder.
import { IconChevronRight, IconHome } from '@tabler/icons-react'
import { useEffect, useRef, type ReactNode } from 'react'
import { go, hrefOf } from '../app/route.ts'
import { shortcutsEnabled } from '../app/use-page-keys.ts'
import { useWords } from '../words/words.tsx'
import { nameOf, parentOf, waysTo } from './paths.ts'
import styles from './crumbs.module.css'

/** Coming to a folder from another one, the focus goes to its name; the first folder leaves the focus alone. */
let arrived = false

export function Crumbs({ path }: { readonly path: string }): ReactNode {
  const words = useWords()
  const ways = waysTo(path)
  const bar = useRef<HTMLElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    bar.current?.scrollTo({ left: bar.current.scrollWidth })
    document.title = `${path === '/' ? words.files.title : nameOf(path)} · ${words.app.name}`
  }, [path, words])
  useEffect(() => {
    if (arrived) heading.current?.focus({ preventScroll: true })
    arrived = true
  }, [path])
  useEffect(() => {
    const up = (event: KeyboardEvent): void => {
      if (!event.altKey || event.key !== 'ArrowUp' || !shortcutsEnabled() || path === '/') return
      event.preventDefault()
      go({ page: 'files', path: parentOf(path) })
    }
    addEventListener('keydown', up)
    return () => removeEventListener('keydown', up)
  }, [path])
  return (
    <nav className={styles.crumbs} aria-label={words.files.path} ref={bar}>
      <ol>
        {ways.map((way, index) => {
          const last = index === ways.length - 1
          const name = way === '/' ? words.files.root : nameOf(way)
          return (
            <li key={way}>
              {index > 0 && <IconChevronRight size={16} aria-hidden />}
              {last ? (
                <h1 ref={heading} tabIndex={-1} className={styles.here} aria-current="page">
                  {way === '/' && <IconHome size={20} aria-hidden />}
                  {name}
                </h1>
              ) : (
                <a href={hrefOf({ page: 'files', path: way })}>
                  {way === '/' && <IconHome size={18} aria-hidden />}
                  {name}
                </a>
              )}
            </li>
          )
        })}
      </ol>
    </nav>
  )
}
