// An empty folder says what it is for.
import type { ReactNode } from 'react'
import { useWords } from '../words/words.tsx'
import styles from './empty-folder.module.css'

export function EmptyFolder({ locations }: { readonly locations: number }): ReactNode {
  const words = useWords()
  return (
    <div className={styles.empty}>
      <svg viewBox="0 0 200 128" className={styles.picture} aria-hidden focusable="false">
        <g className={styles.file}>
          <path d="M14 34h30l14 14v42a6 6 0 0 1-6 6H14a6 6 0 0 1-6-6V40a6 6 0 0 1 6-6z" />
          <path d="M44 34v14h14M18 62h28M18 72h28M18 82h18" />
        </g>
        <path className={styles.way} d="M70 64h34M104 64c22 0 22-40 44-40M104 64h44M104 64c22 0 22 40 44 40" />
        <g className={styles.places}>
          <rect x="154" y="8" width="32" height="32" rx="9" />
          <rect x="154" y="48" width="32" height="32" rx="9" />
          <rect x="154" y="88" width="32" height="32" rx="9" />
        </g>
      </svg>
      <h2>{words.files.emptyTitle}</h2>
      <p>{words.files.emptyText(locations)}</p>
      <p className={styles.hint}>{words.files.emptyHint}</p>
    </div>
  )
}
