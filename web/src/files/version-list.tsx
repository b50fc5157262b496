// All versions of a file, each to download or to remove.
import type { Entry } from '#contract'
import { ActionIcon, Skeleton } from '@mantine/core'
import { IconDownload, IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { noteTroubleIn } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { keys } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import type { Doing } from './deeds.ts'
import styles from './details.module.css'
import { download } from './download.ts'

export function VersionList({ entry, doing }: { readonly entry: Entry; readonly doing: Doing }): ReactNode {
  const { words, measures } = useSpeech()
  const { data, error, refetch } = useQuery({
    queryKey: [...keys.file(entry.path), 'versions'],
    queryFn: ({ signal }) => client.versions({ path: entry.path }, { signal }),
  })
  return (
    <section aria-labelledby="versions">
      <h3 id="versions" className={styles.title}>
        {words.details.versions}
      </h3>
      <TroubleBox error={error} retry={() => void refetch()} />
      {data === undefined && error === null && <Skeleton height={44} />}
      <ul className={styles.versions}>
        {data?.versions.map((version) => (
          <li key={version.number}>
            <span className={styles.versionText}>
              <span>
                {words.details.versionLine(version.number)}
                {version.current && ` (${words.details.current})`}
              </span>
              <small>
                {measures.bytes(version.size)} · {measures.date(version.created)}
              </small>
            </span>
            <ActionIcon
              variant="subtle"
              color="gray"
              c="var(--ink)"
              onClick={() => void download(entry, version.number).catch(noteTroubleIn(words))}
              aria-label={words.details.downloadVersion(version.number)}
            >
              <IconDownload size={18} aria-hidden />
            </ActionIcon>
            {data.versions.length > 1 && (
              <ActionIcon
                variant="subtle"
                color="gray"
                c="var(--bad)"
                onClick={() => doing({ kind: 'remove-version', entry, version: version.number })}
                aria-label={words.details.removeVersion(version.number)}
              >
                <IconTrash size={18} aria-hidden />
              </ActionIcon>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
