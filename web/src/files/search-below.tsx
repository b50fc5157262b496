// What below this folder has a text in its name: asked for page by page, until it is stopped or enough.
import type { Listing } from '#contract'
import { Button } from '@mantine/core'
import { IconFolderFilled, IconFolderSearch } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { go } from '../app/route.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { keys } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import { FileIcon } from './file-icon.tsx'
import styles from './search-below.module.css'

const PAGE = 100
const FOUND_MAX = 500

export function SearchBelow({ path, text }: { readonly path: string; readonly text: string }): ReactNode {
  const { words } = useSpeech()
  const [wanted, setWanted] = useState(false)
  if (!wanted)
    return (
      <div className={styles.ask}>
        <Button variant="default" size="xs" leftSection={<IconFolderSearch size={16} aria-hidden />} onClick={() => setWanted(true)}>
          {words.files.below}
        </Button>
      </div>
    )
  return <Found path={path} text={text} stop={() => setWanted(false)} />
}

function Found({ path, text, stop }: { readonly path: string; readonly text: string; readonly stop: () => void }): ReactNode {
  const { words } = useSpeech()
  const query = useInfiniteQuery({
    queryKey: [...keys.list(path), 'below', text],
    queryFn: ({ pageParam, signal }): Promise<Listing> =>
      client.search({ path, text, limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    gcTime: 0,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  })
  const found = (query.data?.pages ?? []).flatMap((page) => page.entries)
  const { hasNextPage, isFetching, isError, fetchNextPage } = query
  const goesOn = hasNextPage && !isError && found.length < FOUND_MAX
  useEffect(() => {
    if (goesOn && !isFetching) void fetchNextPage()
  }, [goesOn, isFetching, fetchNextPage])
  const running = isFetching || goesOn
  const said = running
    ? words.files.belowGoing(found.length)
    : hasNextPage
      ? words.files.belowMany(found.length)
      : words.files.belowDone(found.length)
  return (
    <section className={styles.found} aria-label={words.files.below}>
      <div className={styles.head}>
        <p role="status">{said}</p>
        <Button variant="default" size="xs" onClick={stop}>
          {running ? words.files.belowStop : words.files.clear}
        </Button>
      </div>
      <TroubleBox error={query.error} retry={() => void query.refetch()} />
      <ul>
        {found.map((entry) => {
          const above = entry.path.slice(0, -entry.name.length - 1) || '/'
          return (
            <li key={entry.path}>
              <button
                type="button"
                onClick={() =>
                  go(entry.kind === 'folder' ? { page: 'files', path: entry.path } : { page: 'files', path: above, show: entry.name })
                }
              >
                {entry.kind === 'file' ? <FileIcon name={entry.name} type={entry.type} /> : <IconFolderFilled size={20} aria-hidden />}
                <span>
                  <strong>{entry.name}</strong>
                  <small>{words.files.belowIn(above === '/' ? words.files.root : above)}</small>
                </span>
              </button>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
