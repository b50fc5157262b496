// How often each byte value occurs, against a perfectly even spread.
import type { ReactNode } from 'react'
import { histogramOf } from './byte-statistics.ts'
import styles from './fragment-view.module.css'

const WIDTH = 256
const HEIGHT = 64

export function Histogram({
  bytes,
  label,
  even,
}: {
  readonly bytes: Uint8Array
  readonly label: string
  readonly even: string
}): ReactNode {
  const counts = histogramOf(bytes)
  const expected = bytes.length / 256
  const most = Math.max(expected * 2.5, ...counts, 1)
  const line = HEIGHT - (expected / most) * HEIGHT
  const bars = counts
    .map((count, value) => (count === 0 ? '' : `M${value} ${HEIGHT}V${(HEIGHT - (count / most) * HEIGHT).toFixed(2)}`))
    .join('')
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className={styles.histogram} role="img" aria-label={label}>
      <path d={bars} transform="translate(0.5 0)" className={styles.bars} />
      <line x1="0" x2={WIDTH} y1={line} y2={line} className={styles.even}>
        <title>{even}</title>
      </line>
    </svg>
  )
}
