// Why something cannot be shown: the sentence of its reason, or what the site refused.
import type { ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { CannotShow } from './cannot-show.ts'
import { useViewWords } from './words.ts'
import styles from './view.module.css'

interface ViewTroubleProps {
  readonly error: unknown
  readonly retry?: (() => void) | undefined
  /** Only a part failed; the rest is there. */
  readonly part?: boolean
  readonly children?: ReactNode
}

export function ViewTrouble({ error, retry, part = false, children }: ViewTroubleProps): ReactNode {
  const words = useViewWords()
  if (error === null || error === undefined) return null
  const place = part ? styles.troublePart : styles.trouble
  if (!(error instanceof CannotShow))
    return (
      <div className={place}>
        <TroubleBox error={error} retry={retry} />
        {children}
      </div>
    )
  const [title, text] = words.reasons[error.reason]
  const harmless = error.reason !== 'damaged' && error.reason !== 'truncated'
  return (
    <div className={place} role="alert" data-reason={error.reason}>
      <div className={styles.troubleBox}>
        <ToneIcon tone={harmless ? 'warn' : 'bad'} size={22} />
        <div>
          {part && <p className={styles.troubleText}>{words.part}</p>}
          <strong>{title}</strong>
          <p className={styles.troubleText}>
            {text}
            {error.fact !== '' && <span className={styles.fact}> ({error.fact})</span>}
          </p>
          {children}
        </div>
      </div>
    </div>
  )
}
