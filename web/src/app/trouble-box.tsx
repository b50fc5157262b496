// A failure where it happened: what, who is at fault, what to do next.
import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { troubleOf, type Trouble } from '../site/trouble.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './trouble-box.module.css'

export function TroubleBox({ error, retry }: { readonly error: unknown; readonly retry?: (() => void) | undefined }): ReactNode {
  const { words } = useSpeech()
  if (error === null || error === undefined) return null
  return (
    <div className={styles.box} role="alert">
      <ToneIcon tone="bad" size={20} />
      <div className={styles.text}>
        <TroubleText trouble={troubleOf(error, words)} />
        {retry !== undefined && (
          <Button size="xs" variant="default" onClick={retry} mt={8}>
            {words.app.retry}
          </Button>
        )}
      </div>
    </div>
  )
}

export function TroubleText({ trouble }: { readonly trouble: Trouble }): ReactNode {
  const { words } = useSpeech()
  return (
    <>
      <strong className={styles.title}>{trouble.title}</strong>
      {trouble.detail !== undefined && (
        <span className={styles.detail} lang="en">
          {trouble.detail}
        </span>
      )}
      {trouble.culprits.length > 0 && <span>{words.culprits(trouble.culprits.join(', '))}</span>}
      {trouble.next !== undefined && <span className={styles.next}>{trouble.next}</span>}
    </>
  )
}
