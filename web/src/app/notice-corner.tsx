// The corner in which notices appear. They are spoken by the announcer, so the corner itself is silent.
import { CloseButton } from '@mantine/core'
import type { ReactNode } from 'react'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { useWords } from '../words/words.tsx'
import { closeNotice, useNotices } from './notices.ts'
import { TroubleText } from './trouble-box.tsx'
import styles from './notice-corner.module.css'

export function NoticeCorner(): ReactNode {
  const words = useWords()
  const notices = useNotices()
  if (notices.length === 0) return null
  return (
    <section className={styles.corner} aria-label={words.app.notices} data-testid="notices">
      <ul className={styles.list}>
        {notices.map((notice) => (
          <li key={notice.id} className={styles.notice} data-kind={notice.kind}>
            <ToneIcon tone={notice.kind === 'done' ? 'good' : 'bad'} size={20} />
            <span className={styles.text}>{notice.kind === 'done' ? notice.sentence : <TroubleText trouble={notice.trouble} />}</span>
            <CloseButton onClick={() => closeNotice(notice.id)} aria-label={words.app.close} />
          </li>
        ))}
      </ul>
    </section>
  )
}
