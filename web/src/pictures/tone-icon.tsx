// One icon per tone, so that shapes tell what colours tell.
import {
  IconAlertOctagonFilled,
  IconAlertTriangleFilled,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleXFilled,
} from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { Tone } from './tone.ts'
import styles from './tone.module.css'

const ICONS = {
  good: IconCircleCheckFilled,
  warn: IconAlertTriangleFilled,
  bad: IconCircleXFilled,
  liar: IconAlertOctagonFilled,
  idle: IconCircleDashed,
} satisfies Record<Tone, unknown>

export function ToneIcon({ tone, size = 16 }: { readonly tone: Tone; readonly size?: number }): ReactNode {
  const Icon = ICONS[tone]
  return <Icon size={size} className={styles.icon} data-tone={tone} aria-hidden />
}

/** Icon and word in a soft pill. */
export function TonePill({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }): ReactNode {
  return (
    <span className={styles.pill} data-tone={tone}>
      <ToneIcon tone={tone} size={14} />
      <span>{children}</span>
    </span>
  )
}
