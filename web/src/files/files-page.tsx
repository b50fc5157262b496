// The explorer: a folder, what is in it, and what can be done with it.
import type { Entry, Status } from '#contract'
import { isFailure } from '#base'
import { Button } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { lazy, Suspense, useCallback, useDeferredValue, useMemo, useState, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { go, type Route } from '../app/route.ts'
import { SideVault } from '../places/side-vault.tsx'
import { SiteStopped } from '../site/reach.ts'
import { useSpeech } from '../words/words.tsx'
import { filtered, ordered, type Order } from './arrange.ts'
import { Crumbs } from './crumbs.tsx'
import { DropZone } from './drop-zone.tsx'
import { EmptyFolder } from './empty-folder.tsx'
import type { Deed, Doing } from './deeds.ts'
import { FileTable } from './file-table.tsx'
import { joinPath, nameOf } from './paths.ts'
import { RowSkeletons } from './row-skeletons.tsx'
import { SelectionBar } from './selection-bar.tsx'
import { Toolbar } from './toolbar.tsx'
import { useListing } from './use-listing.ts'
import styles from './files-page.module.css'

const Details = lazy(async () => ({ default: (await import('./details.tsx')).Details }))
const SidePanel = lazy(async () => ({ default: (await import('./side-panel.tsx')).SidePanel }))
const SearchBelow = lazy(async () => ({ default: (await import('./search-below.tsx')).SearchBelow }))
const DeedDialog = lazy(async () => ({ default: (await import('./deed-dialog.tsx')).DeedDialog }))

interface FilesPageProps {
  readonly route: Extract<Route, { page: 'files' }>
  readonly status: Status | undefined
}

export function FilesPage({ route, status }: FilesPageProps): ReactNode {
  return <Folder key={route.path} path={route.path} show={route.show} status={status} />
}

function Folder({
  path,
  show,
  status,
}: {
  readonly path: string
  readonly show: string | undefined
  readonly status: Status | undefined
}): ReactNode {
  const { words, language } = useSpeech()
  const [typed, setTyped] = useState('')
  const [order, setOrder] = useState<Order | undefined>()
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const [deed, setDeed] = useState<Deed | undefined>()
  const wanted = useDeferredValue(typed)
  const listing = useListing({ path, whole: wanted.trim() !== '' || order !== undefined })
  const { entries, complete } = listing
  const rows = useMemo(() => {
    const some = filtered(entries, wanted)
    return complete || order !== undefined ? ordered(some, order, language) : some
  }, [entries, wanted, complete, order, language])
  // The strip on top speaks of a site that stopped; what was listed before stays.
  const troubled = listing.error !== null && !(listing.error instanceof SiteStopped && entries.length > 0)
  const shown = show === undefined ? undefined : joinPath(path, show)
  const selection = rows.filter((entry) => picked.has(entry.path))
  const open = useCallback(
    (entry: Entry): void => go(entry.kind === 'folder' ? { page: 'files', path: entry.path } : { page: 'files', path, show: entry.name }),
    [path],
  )
  const close = useCallback((): void => go({ page: 'files', path }), [path])
  const finish = (): void => {
    setDeed(undefined)
    setPicked(new Set())
  }
  return (
    <div className={styles.page}>
      <section className={styles.folder} aria-label={words.files.title}>
        <Crumbs path={path} />
        <Toolbar path={path} typed={typed} setTyped={setTyped} newFolder={() => setDeed({ kind: 'folder', in: path })} doing={setDeed} />
        <DropZone path={path}>
          {selection.length > 0 && <SelectionBar selection={selection} clear={() => setPicked(new Set())} doing={setDeed} />}
          <p className={styles.count} role="status">
            {wanted.trim() === ''
              ? !listing.pending && entries.length > 0 && words.files.count(entries.length, !complete)
              : complete
                ? words.files.found(rows.length)
                : words.files.searching(entries.length)}
          </p>
          {wanted.trim() !== '' && (
            <Suspense>
              <SearchBelow key={`${path} ${wanted.trim()}`} path={path} text={wanted.trim()} />
            </Suspense>
          )}
          {troubled && <ListingTrouble error={listing.error} again={listing.again} />}
          {listing.pending && listing.error === null && <RowSkeletons />}
          {rows.length > 0 && (
            <FileTable
              label={words.files.list(path === '/' ? words.files.root : nameOf(path))}
              rows={rows}
              total={complete ? rows.length : -1}
              shown={shown}
              order={order}
              setOrder={setOrder}
              picked={picked}
              setPicked={setPicked}
              open={open}
              doing={setDeed}
              nearEnd={listing.more}
            />
          )}
          {!complete && rows.length > 0 && (
            <div className={styles.more}>
              <Button variant="default" onClick={listing.more} loading={listing.fetchingMore}>
                {words.files.loadMore}
              </Button>
            </div>
          )}
          {complete && entries.length === 0 && listing.error === null && <EmptyFolder locations={status?.vault?.count ?? 3} />}
        </DropZone>
      </section>
      <Side shown={shown} status={status} close={close} doing={setDeed} />
      {deed !== undefined && (
        <Suspense>
          <DeedDialog deed={deed} close={() => setDeed(undefined)} done={finish} />
        </Suspense>
      )}
    </div>
  )
}

interface SideProps {
  /** Path of the file whose details are wanted. */
  readonly shown: string | undefined
  readonly status: Status | undefined
  readonly close: () => void
  readonly doing: Doing
}

/** Beside the folder: the file that was chosen, else the whole vault. Where there is no room beside, the file slides over. */
function Side({ shown, status, close, doing }: SideProps): ReactNode {
  const { words } = useSpeech()
  const narrow = useMediaQuery('(max-width: 68em)', undefined, { getInitialValueInEffect: false }) ?? false
  const label = shown === undefined ? words.locations.title : words.details.title(nameOf(shown))
  const details =
    shown === undefined ? null : (
      <Suspense fallback={<RowSkeletons />}>
        <Details key={shown} path={shown} close={close} doing={doing} />
      </Suspense>
    )
  if (!narrow)
    return (
      <aside className={styles.side} aria-label={label} {...(details === null ? { tabIndex: 0 } : {})}>
        {details ?? <SideVault status={status} />}
      </aside>
    )
  if (shown === undefined) return null
  return (
    <Suspense>
      <SidePanel label={label} close={close}>
        {details}
      </SidePanel>
    </Suspense>
  )
}

function ListingTrouble({ error, again }: { readonly error: unknown; readonly again: () => void }): ReactNode {
  const { words } = useSpeech()
  if (!isFailure(error, 'storage.absent')) return <TroubleBox error={error} retry={again} />
  return (
    <div className={styles.gone} role="alert">
      <p>{words.files.gone}</p>
      <Button variant="light" onClick={() => go({ page: 'files', path: '/' })}>
        {words.files.goneBack}
      </Button>
    </div>
  )
}
