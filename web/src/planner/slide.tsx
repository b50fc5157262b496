// One number that people move, with what it means beside it.
import { useId, type ReactNode } from 'react'
import styles from './planner.module.css'

interface SlideProps {
  readonly label: string
  readonly value: number
  readonly min?: number
  readonly max: number
  /** The value as people read it. */
  readonly text: string
  readonly change: (value: number) => void
}

export function Slide({ label, value, min = 0, max, text, change }: SlideProps): ReactNode {
  const id = useId()
  return (
    <div className={styles.slide}>
      <label htmlFor={id}>{label}</label>
      <output htmlFor={id}>{text}</output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={1}
        value={value}
        aria-valuetext={text}
        onChange={(event) => change(Number(event.currentTarget.value))}
      />
    </div>
  )
}
