// One file: what it is, where its fragments lie, what one of them looks like, and its versions.
import { ActionIcon, Button, Menu, Skeleton } from '@mantine/core'
import {
  IconCopy,
  IconDotsVertical,
  IconDownload,
  IconEye,
  IconFolderSymlink,
  IconPencil,
  IconTrash,
  IconX,
  IconUserCheck,
} from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from 'react'
import { noteTroubleIn } from '../app/notices.ts'
import { hrefOf } from '../app/route.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { keys } from '../site/queries.ts'
import { toneOfFragment } from '../pictures/tone.ts'
import { useSpeech } from '../words/words.tsx'
import type { Doing } from './deeds.ts'
import { download } from './download.ts'
import { FileIcon } from './file-icon.tsx'
import { nameOf } from './paths.ts'
import { PlacementPicture } from './placement-picture.tsx'
import { VersionList } from './version-list.tsx'
import styles from './details.module.css'

const PlacesMap = lazy(async () => ({ default: (await import('../map/places-map.tsx')).PlacesMap }))
const FragmentView = lazy(async () => ({ default: (await import('./fragment-view.tsx')).FragmentView }))

export function Details({ path, close, doing }: { readonly path: string; readonly close: () => void; readonly doing: Doing }): ReactNode {
  const { words, measures } = useSpeech()
  const name = nameOf(path)
  const [looking, setLooking] = useState<number | undefined>()
  const [mapped, setMapped] = useState(false)
  const heading = useRef<HTMLHeadingElement>(null)
  const entry = useQuery({ queryKey: [...keys.file(path), 'entry'], queryFn: ({ signal }) => client.stat({ path }, { signal }) })
  const placement = useQuery({
    queryKey: [...keys.file(path), 'placement'],
    queryFn: ({ signal }) => client.placement({ path }, { signal }),
  })
  useEffect(() => {
    heading.current?.focus({ preventScroll: true })
  }, [])
  useEffect(() => {
    const escape = (event: KeyboardEvent): void => {
      if (
        event.key === 'Escape' &&
        !event.defaultPrevented &&
        document.querySelector('[role=dialog],[role=alertdialog],[role=menu]') === null
      )
        close()
    }
    addEventListener('keydown', escape)
    return () => removeEventListener('keydown', escape)
  }, [close])
  const { data } = entry
  return (
    <div data-testid="details">
      <div className={styles.head}>
        <FileIcon name={name} type={data?.type ?? ''} size={26} />
        <h2 ref={heading} tabIndex={-1} className={styles.name}>
          {name}
        </h2>
        {data !== undefined && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" c="var(--ink)" aria-label={words.files.actionsFor(name)}>
                <IconDotsVertical size={18} aria-hidden />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => doing({ kind: 'rename', entry: data })}>
                {words.files.rename}
              </Menu.Item>
              <Menu.Item leftSection={<IconUserCheck size={16} aria-hidden />} onClick={() => doing({ kind: 'grants', path: data.path })}>
                {words.files.grantsOne(data.name)}
              </Menu.Item>
              <Menu.Item leftSection={<IconFolderSymlink size={16} aria-hidden />} onClick={() => doing({ kind: 'move', entries: [data] })}>
                {words.files.move}
              </Menu.Item>
              <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={() => doing({ kind: 'copy', entries: [data] })}>
                {words.files.copy}
              </Menu.Item>
              <Menu.Divider />
              <Menu.Item
                c="var(--bad)"
                leftSection={<IconTrash size={16} aria-hidden />}
                onClick={() => doing({ kind: 'remove', entries: [data] })}
              >
                {words.files.remove}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
        <ActionIcon variant="subtle" color="gray" c="var(--ink)" onClick={close} aria-label={words.details.close}>
          <IconX size={20} aria-hidden />
        </ActionIcon>
      </div>
      <TroubleBox error={entry.error} retry={() => void entry.refetch()} />
      {data === undefined && entry.error === null && <Skeleton height={80} />}
      {data !== undefined && (
        <>
          <dl className={styles.facts}>
            <dt>{words.details.size}</dt>
            <dd>{measures.bytes(data.size)}</dd>
            <dt>{words.details.modified}</dt>
            <dd>{measures.date(data.modified)}</dd>
            {data.type !== '' && (
              <>
                <dt>{words.details.type}</dt>
                <dd>{data.type}</dd>
              </>
            )}
            <dt>{words.details.version}</dt>
            <dd>{data.version}</dd>
          </dl>
          <Button component="a" fullWidth mb={8} href={hrefOf({ page: 'view', path })} leftSection={<IconEye size={18} aria-hidden />}>
            {words.files.open}
          </Button>
          <Button
            fullWidth
            variant="default"
            leftSection={<IconDownload size={18} aria-hidden />}
            onClick={() => void download(data).catch(noteTroubleIn(words))}
          >
            {words.files.download}
          </Button>
        </>
      )}
      <h3 className={styles.title}>{words.details.where}</h3>
      <TroubleBox error={placement.error} retry={() => void placement.refetch()} />
      {placement.data === undefined && placement.error === null && <Skeleton height={280} radius="lg" />}
      {placement.data !== undefined && <PlacementPicture placement={placement.data} looking={looking} look={setLooking} />}
      {placement.data !== undefined && looking === undefined && (
        <details className={styles.map} onToggle={(event) => setMapped(event.currentTarget.open)}>
          <summary>{words.details.map}</summary>
          {mapped && (
            <Suspense fallback={<Skeleton height={180} radius="lg" />}>
              <PlacesMap
                label={words.details.mapOf}
                places={placement.data.fragments.map(({ location, label, state }) => ({
                  id: location,
                  label,
                  tone: toneOfFragment[state],
                  state: words.details.states[state],
                }))}
              />
            </Suspense>
          )}
        </details>
      )}
      {looking !== undefined && placement.data !== undefined && (
        <Suspense fallback={<Skeleton height={240} />}>
          <FragmentView key={looking} placement={placement.data} x={looking} size={data?.size ?? 0} />
        </Suspense>
      )}
      {data !== undefined && <VersionList entry={data} doing={doing} />}
    </div>
  )
}
