// What was removed: bring it back, or let it go for good; and what each location answered to what is gone.
import type { TrashEntry } from '#contract'
import { Button, Skeleton } from '@mantine/core'
import { IconArrowBackUp, IconFolderFilled, IconTrash } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { noteDone } from '../app/notices.ts'
import { go } from '../app/route.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { FileIcon } from '../files/file-icon.tsx'
import { nameOf, parentOf } from '../files/paths.ts'
import { client } from '../site/client.ts'
import { keys, noteTask, useTasks } from '../site/queries.ts'
import { TaskProgress } from '../tasks/task-progress.tsx'
import { useSpeech } from '../words/words.tsx'
import { Deletions } from './deletions.tsx'
import dialogs from '../files/dialogs.module.css'
import styles from './trash-page.module.css'

const PAGE = 200

export function TrashPage(): ReactNode {
  const { words, measures } = useSpeech()
  const tasks = useTasks()
  const [asking, setAsking] = useState<readonly TrashEntry[] | 'all' | undefined>()
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: keys.trash,
    queryFn: ({ pageParam, signal }) => client.trash({ limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: 15_000,
    // What was here at the last visit may have been restored, and removed again, since: nothing is offered before the site has answered.
    gcTime: 0,
  })
  useEffect(() => {
    document.title = `${words.trash.title} · ${words.app.name}`
  }, [words])
  const pages = data?.pages ?? []
  const entries = pages.flatMap((page) => page.entries)
  const [first] = pages
  const running = tasks.filter(({ kind, state }) => state === 'running' && (kind === 'remove' || kind === 'restore'))
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>{words.trash.title}</h1>
        {first !== undefined && first.total > 0 && (
          <Button
            variant="default"
            color="red"
            leftSection={<IconTrash size={18} aria-hidden />}
            onClick={() => setAsking('all')}
            disabled={running.length > 0}
          >
            {words.trash.empty}
          </Button>
        )}
      </div>
      <TroubleBox error={error} retry={() => void refetch()} />
      {running.map((task) => (
        <TaskProgress key={task.id} task={task} />
      ))}
      {first === undefined && error === null && <Skeleton height={200} radius="lg" />}
      {first !== undefined && first.total === 0 && <EmptyTrash />}
      {first !== undefined && first.total > 0 && (
        <>
          <p className={styles.count} role="status">
            {words.trash.count(first.total, first.files, measures.bytes(first.bytes))}
          </p>
          <ul className={styles.list} aria-label={words.trash.title}>
            {entries.map((entry) => (
              <Row key={entry.id} entry={entry} remove={() => setAsking([entry])} />
            ))}
          </ul>
          {hasNextPage && (
            <Button variant="default" onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
              {words.files.loadMore}
            </Button>
          )}
        </>
      )}
      <Deletions />
      {asking !== undefined && <ForGood what={asking} close={() => setAsking(undefined)} />}
    </div>
  )
}

function Row({ entry, remove }: { readonly entry: TrashEntry; readonly remove: () => void }): ReactNode {
  const { words, measures } = useSpeech()
  const queries = useQueryClient()
  const restore = useMutation({
    mutationFn: () => client.restoreTrash({ id: entry.id }),
    onSuccess: ({ path }) => {
      noteDone(path === entry.path ? words.trash.restored(entry.name) : words.trash.restoredAs(entry.name, nameOf(path)))
      go({ page: 'files', path: parentOf(path) })
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: keys.trash })
      void queries.invalidateQueries({ queryKey: keys.lists })
    },
  })
  return (
    <li className={styles.row}>
      <span className={styles.icon}>
        {entry.kind === 'folder' ? <IconFolderFilled size={20} aria-hidden /> : <FileIcon name={entry.name} type="" />}
      </span>
      <div className={styles.text}>
        <strong>{entry.name}</strong>
        <span>{words.trash.from(parentOf(entry.path))}</span>
        <small>
          {words.trash.removed(measures.date(entry.at), entry.by)} · {words.trash.amount(entry.files, measures.bytes(entry.bytes))}
        </small>
        <small>
          {entry.heldUntil === null ? words.trash.until(measures.date(entry.expires)) : words.trash.held(measures.date(entry.heldUntil))}
        </small>
        <TroubleBox error={restore.error} />
      </div>
      <div className={styles.buttons}>
        <Button
          variant="light"
          leftSection={<IconArrowBackUp size={18} aria-hidden />}
          onClick={() => restore.mutate()}
          loading={restore.isPending}
          aria-label={words.trash.restoreOne(entry.name)}
        >
          {words.trash.restore}
        </Button>
        <Button
          variant="subtle"
          color="red"
          c="var(--bad)"
          onClick={remove}
          disabled={entry.heldUntil !== null}
          aria-label={words.trash.removeOne(entry.name)}
        >
          {words.trash.remove}
        </Button>
      </div>
    </li>
  )
}

/** For good cannot be undone, so it is asked. */
function ForGood({ what, close }: { readonly what: readonly TrashEntry[] | 'all'; readonly close: () => void }): ReactNode {
  const { words } = useSpeech()
  const queries = useQueryClient()
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => client.emptyTrash(what === 'all' ? {} : { ids: what.map(({ id }) => id) }),
    onSuccess: (task) => {
      noteTask(queries, task)
      close()
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: keys.trash }),
  })
  return (
    <Dialog title={what === 'all' ? words.trash.emptyTitle : words.trash.removeTitle(what[0]?.name ?? '')} close={close}>
      <div className={dialogs.form}>
        <p className={dialogs.text}>{words.trash.forGood}</p>
        <TroubleBox error={error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close} data-autofocus>
            {words.app.cancel}
          </Button>
          <Button color="red" onClick={() => mutate()} loading={isPending}>
            {words.trash.remove}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

function EmptyTrash(): ReactNode {
  const { words } = useSpeech()
  return (
    <div className={styles.empty}>
      <IconTrash size={44} stroke={1.25} aria-hidden />
      <h2>{words.trash.nothing}</h2>
      <p>{words.trash.nothingText}</p>
    </div>
  )
}
