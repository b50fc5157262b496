// Uploads that were left unfinished: what they are, how to go on, and removing them.
import { ActionIcon } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Upload } from '#contract'
import { nameOf } from '../files/paths.ts'
import { client } from '../site/client.ts'
import { useSite } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import type { QueueView } from './queue.ts'
import styles from './dock.module.css'

const KEY = ['unfinished'] as const
const POLL_MS = 30_000
const POLL_SENDING_MS = 3000

/** Those of other days and other programs: not what this page sends. */
export function useUnfinished(view: QueueView): readonly Upload[] {
  const hasVault = (useSite().data?.vault ?? null) !== null
  const { data } = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => (await client.uploads({}, { signal })).uploads,
    // One that is sent now may be another page's, or one that was just left.
    refetchInterval: ({ state }) => (state.data?.some((upload) => upload.state === 'sending') === true ? POLL_SENDING_MS : POLL_MS),
    retry: false,
    enabled: hasVault,
  })
  const ours = new Set([...view.active, ...view.waiting, ...view.failures, ...view.recent].map(({ path }) => path))
  return (data ?? []).filter((upload) => (upload.state === 'waiting' || upload.state === 'ready') && !ours.has(upload.path))
}

export function Unfinished({ uploads }: { readonly uploads: readonly Upload[] }): ReactNode {
  const { words, measures } = useSpeech()
  const queries = useQueryClient()
  if (uploads.length === 0) return null
  const remove = async (id: string): Promise<void> => {
    await client.cancelUpload(id).catch(() => undefined)
    await queries.invalidateQueries({ queryKey: KEY })
  }
  return (
    <section aria-label={words.resume.unfinished} data-testid="unfinished">
      <strong className={styles.name}>{words.resume.unfinished}</strong>
      <p className={styles.note}>{words.resume.how}</p>
      <ul className={styles.rows}>
        {uploads.map((upload) => (
          <li key={upload.id} className={styles.unfinished}>
            <span className={styles.name} title={upload.path}>
              {nameOf(upload.path)}
            </span>
            <span className={styles.state}>
              {measures.bytes(upload.size)} · {words.resume.until(measures.date(upload.expires))}
            </span>
            <ActionIcon
              variant="subtle"
              color="gray"
              c="var(--ink)"
              size="sm"
              onClick={() => void remove(upload.id)}
              aria-label={words.resume.remove(nameOf(upload.path))}
            >
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </li>
        ))}
      </ul>
    </section>
  )
}
