// All versions of a file, each to download or to remove.
import type { Entry } from '#contract'
import { ActionIcon, Skeleton } from '@mantine/core'
import { IconArrowBackUp, IconDownload, IconEye, IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { noteTroubleIn } from '../app/notices.ts'
import { hrefOf } from '../app/route.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { keys } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import type { Doing } from './deeds.ts'
import styles from './details.module.css'
import { download } from './download.ts'
import { useDeed } from './use-deed.ts'

export function VersionList({ entry, doing }: { readonly entry: Entry; readonly doing: Doing }): ReactNode {
  const { words, measures } = useSpeech()
  const { data, error, refetch } = useQuery({
    queryKey: [...keys.file(entry.path), 'versions'],
    queryFn: ({ signal }) => client.versions({ path: entry.path }, { signal }),
  })
  const restore = useDeed(
    async (version: number) => {
      await client.restoreVersion({ path: entry.path, version })
      return words.trash.versionRestored(version)
    },
    () => undefined,
  )
  return (
    <section aria-labelledby="versions">
      <h3 id="versions" className={styles.title}>
        {words.details.versions}
      </h3>
      <TroubleBox error={error} retry={() => void refetch()} />
      <TroubleBox error={restore.error} />
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
                {version.sameAs !== null && ` · ${words.trash.sameAs(version.sameAs)}`}
              </small>
            </span>
            {!version.current && (
              <ActionIcon
                variant="subtle"
                color="gray"
                c="var(--ink)"
                onClick={() => restore.run(version.number)}
                loading={restore.running}
                aria-label={words.trash.restoreVersion(version.number)}
                title={words.trash.restoreVersion(version.number)}
              >
                <IconArrowBackUp size={18} aria-hidden />
              </ActionIcon>
            )}
            {!version.current && (
              <ActionIcon
                component="a"
                variant="subtle"
                color="gray"
                c="var(--ink)"
                href={hrefOf({ page: 'view', path: entry.path, version: version.number })}
                aria-label={words.details.openVersion(version.number)}
                title={words.details.openVersion(version.number)}
              >
                <IconEye size={18} aria-hidden />
              </ActionIcon>
            )}
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
