// What is gone for good, what each location answered, and the signed record of it.
import type { Deletion } from '#contract'
import { routes, target } from '#contract'
import { Button } from '@mantine/core'
import { IconFileCertificate } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { client } from '../site/client.ts'
import { keys } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './trash-page.module.css'

const PAGE = 50

export function Deletions(): ReactNode {
  const { words } = useSpeech()
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: keys.deletions,
    queryFn: ({ pageParam, signal }) =>
      client.deletions({ limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: 15_000,
  })
  const all = data?.pages.flatMap((page) => page.deletions) ?? []
  return (
    <section aria-labelledby="deletions">
      <h2 id="deletions">{words.trash.deletions}</h2>
      <p className={styles.count}>{words.trash.deletionsText}</p>
      <TroubleBox error={error} retry={() => void refetch()} />
      {data !== undefined && all.length === 0 && <p className={styles.count}>{words.trash.noDeletions}</p>}
      <ul className={styles.list} aria-labelledby="deletions">
        {all.map((one) => (
          <DeletionRow key={one.id} deletion={one} />
        ))}
      </ul>
      {hasNextPage && (
        <Button variant="default" onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
          {words.files.loadMore}
        </Button>
      )}
    </section>
  )
}

function DeletionRow({ deletion }: { readonly deletion: Deletion }): ReactNode {
  const { words, measures } = useSpeech()
  const awaited = [...new Set(deletion.awaited.map(({ location }) => location))].join(', ')
  return (
    <li className={styles.row}>
      <span className={styles.icon}>
        <ToneIcon tone={deletion.closed === null ? 'warn' : 'good'} size={20} />
      </span>
      <div className={styles.text}>
        <strong>{deletion.path}</strong>
        <small>
          {words.trash.deleted(measures.date(deletion.at), deletion.by)}
          {deletion.stillNamed > 0 && ` · ${words.trash.stillNamed(deletion.stillNamed)}`}
        </small>
        <small>{deletion.closed === null ? words.trash.awaited(awaited) : words.trash.closed(measures.date(deletion.closed))}</small>
      </div>
      <div className={styles.buttons}>
        <Button
          component="a"
          href={target(routes.deletionRecord, { params: { id: deletion.id } })}
          download={`deletion-${deletion.id}.json`}
          variant="default"
          leftSection={<IconFileCertificate size={18} aria-hidden />}
          aria-label={words.trash.recordOf(deletion.path)}
        >
          {words.trash.record}
        </Button>
      </div>
    </li>
  )
}
