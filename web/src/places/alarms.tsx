// What the site wants people to know, the gravest first, each with the next step.
import type { Status } from '#contract'
import type { ReactNode } from 'react'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { useWords } from '../words/words.tsx'
import styles from './locations-page.module.css'

const GRAVITY = { alarm: 0, warning: 1, hint: 2 } as const
const TONES = { alarm: 'bad', warning: 'warn', hint: 'idle' } as const

export function Alarms({ status }: { readonly status: Status }): ReactNode {
  const words = useWords()
  const messages = status.messages.toSorted((a, b) => GRAVITY[a.severity] - GRAVITY[b.severity])
  const spare = status.withoutRedundancy > 0 && status.health !== 'unreadable'
  return (
    <section className={styles.block} aria-labelledby="alarms">
      <h2 id="alarms">{words.locations.alarms}</h2>
      {messages.length === 0 && !spare && <p className={styles.none}>{words.locations.noAlarms}</p>}
      <ul className={styles.messages}>
        {spare && (
          <li>
            <ToneIcon tone="warn" size={18} />
            <strong>{words.health.withoutRedundancy(status.withoutRedundancy)}</strong>
          </li>
        )}
        {messages.map((message) => (
          <li key={`${message.code} ${message.text}`}>
            <ToneIcon tone={TONES[message.severity]} size={18} />
            <span>
              <strong>{words.locations.severity[message.severity]}:</strong> <span lang="en">{message.text}</span>
            </span>
            {message.next !== '' && <small lang="en">{message.next}</small>}
          </li>
        ))}
      </ul>
    </section>
  )
}
