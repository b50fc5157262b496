// Shown while the page asks the site who it is.
import { Loader } from '@mantine/core'
import type { ReactNode } from 'react'
import { useWords } from '../words/words.tsx'
import styles from './waiting.module.css'

export function Waiting(): ReactNode {
  const words = useWords()
  return (
    <main className={styles.waiting} aria-busy="true">
      <h1 className={styles.title}>{words.app.loading}</h1>
      <Loader aria-hidden />
    </main>
  )
}
