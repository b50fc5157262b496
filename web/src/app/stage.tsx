// A calm sheet in the middle, for everything that is not the vault itself.
import type { ReactNode } from 'react'
import { Mark } from '../pictures/mark.tsx'
import { useWords } from '../words/words.tsx'
import { Preferences } from './preferences.tsx'
import styles from './stage.module.css'

export function Stage({ children, wide = false }: { readonly children: ReactNode; readonly wide?: boolean }): ReactNode {
  const words = useWords()
  return (
    <div className={styles.stage}>
      <a className={styles.skip} href="#content" onClick={skipToContent}>
        {words.app.skip}
      </a>
      <header className={styles.head}>
        <span className={styles.brand}>
          <Mark /> {words.app.name}
        </span>
        <Preferences />
      </header>
      <main id="content" tabIndex={-1} className={styles.sheet} data-wide={wide}>
        {children}
      </main>
      <footer className={styles.foot}>{words.app.motto}</footer>
    </div>
  )
}

/** The address belongs to the route, so the skip link moves the focus itself. */
export function skipToContent(event: { preventDefault(): void }): void {
  event.preventDefault()
  document.getElementById('content')?.focus()
}
