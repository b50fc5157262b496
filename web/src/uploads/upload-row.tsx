// One upload: its name, how far it is, and what can be done with it.
import { ActionIcon, Progress } from '@mantine/core'
import { IconCircleCheckFilled, IconClock, IconLoader2, IconRefresh, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { TroubleText } from '../app/trouble-box.tsx'
import { nameOf } from '../files/paths.ts'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { troubleOf } from '../site/trouble.ts'
import { useSpeech } from '../words/words.tsx'
import type { Upload } from './queue.ts'
import { uploads } from './uploads.ts'
import styles from './dock.module.css'

export function UploadRow({ upload }: { readonly upload: Upload }): ReactNode {
  const { words } = useSpeech()
  const name = nameOf(upload.path)
  const running = upload.state === 'sending' || upload.state === 'settling'
  const cancellable = running || upload.state === 'waiting' || upload.state === 'failed'
  return (
    <li className={styles.row} data-state={upload.state}>
      <StateIcon state={upload.state} />
      <span className={styles.name} title={upload.path}>
        {name}
      </span>
      <span className={styles.state}>
        <UploadState upload={upload} />
      </span>
      <span>
        {upload.state === 'sending' && upload.doing?.kind === 'interrupted' && (
          <span className={styles.trouble} role="status">
            <TroubleText trouble={troubleOf(upload.doing.error, words)} />
            {words.resume.byItself}
          </span>
        )}
        {upload.state === 'failed' && (
          <ActionIcon
            variant="subtle"
            color="gray"
            c="var(--ink)"
            size="sm"
            onClick={() => uploads.retry(upload.id)}
            aria-label={words.uploads.retry(name)}
          >
            <IconRefresh size={16} aria-hidden />
          </ActionIcon>
        )}
        {cancellable && (
          <ActionIcon
            variant="subtle"
            color="gray"
            c="var(--ink)"
            size="sm"
            onClick={() => uploads.cancel(upload.id)}
            aria-label={words.uploads.cancel(name)}
          >
            <IconX size={16} aria-hidden />
          </ActionIcon>
        )}
      </span>
      {running && (
        <Progress
          className={styles.bar}
          size={3}
          value={upload.sizeBytes === 0 ? 100 : (upload.sentBytes / upload.sizeBytes) * 100}
          aria-label={name}
        />
      )}
      {upload.state === 'failed' && (
        <span className={styles.trouble}>
          <TroubleText trouble={troubleOf(upload.error, words)} />
        </span>
      )}
    </li>
  )
}

function UploadState({ upload }: { readonly upload: Upload }): ReactNode {
  const { words, measures } = useSpeech()
  switch (upload.state) {
    case 'waiting':
      return words.uploads.waiting
    case 'sending':
      if (upload.doing !== undefined) return words.resume[upload.doing.kind]
      return `${measures.bytes(upload.sentBytes)} / ${measures.bytes(upload.sizeBytes)}`
    case 'settling':
      return words.uploads.settling
    case 'done':
      if ((upload.laggards?.length ?? 0) > 0) return `${words.uploads.done}, ${words.files.redundancy['repair-due']}`
      return (upload.version ?? 1) > 1 ? words.uploads.newVersion(upload.version ?? 1) : words.uploads.done
    case 'failed':
    case 'cancelled':
      return null
  }
}

function StateIcon({ state }: { readonly state: Upload['state'] }): ReactNode {
  if (state === 'failed') return <ToneIcon tone="bad" />
  if (state === 'done') return <IconCircleCheckFilled size={16} color="var(--good)" aria-hidden />
  if (state === 'waiting') return <IconClock size={16} color="var(--ink-soft)" aria-hidden />
  return <IconLoader2 size={16} color="var(--brand-ink)" aria-hidden />
}
