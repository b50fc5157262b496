// The site does not answer: as a whole page before anything was loaded, as a strip afterwards.
import { Loader } from '@mantine/core'
import { useEffect, useRef, type ReactNode } from 'react'
import { useReach } from '../site/reach.ts'
import { useWords } from '../words/words.tsx'
import { announce } from './announce.tsx'
import { Stage } from './stage.tsx'
import styles from './stopped.module.css'

export function Stopped(): ReactNode {
  const { stopped } = useWords()
  return (
    <Stage>
      <h1>{stopped.title}</h1>
      <p>{stopped.text}</p>
      <p className={styles.again}>
        <Loader size="xs" aria-hidden /> {stopped.again}
      </p>
    </Stage>
  )
}

export function StoppedStrip(): ReactNode {
  const { stopped } = useWords()
  const reach = useReach()
  const before = useRef(reach)
  useEffect(() => {
    if (before.current === reach) return
    before.current = reach
    announce(reach === 'stopped' ? `${stopped.title}. ${stopped.text}` : stopped.back)
  }, [reach, stopped])
  if (reach === 'answers') return null
  return (
    <section className={styles.strip} aria-label={stopped.title} data-testid="stopped">
      <Loader size="xs" color="var(--bad)" aria-hidden />
      <span>
        <strong>{stopped.title}.</strong> {stopped.text} {stopped.again}
      </span>
    </section>
  )
}
