// One file, shown by the viewer that fits its content, with the ways to the files beside it.
import { ActionIcon, Button, Loader } from '@mantine/core'
import { IconArrowLeft, IconChevronLeft, IconChevronRight, IconDownload, IconMaximize, IconMinimize } from '@tabler/icons-react'
import { useCallback, useEffect, useEffectEvent, useRef, useState, type ReactNode } from 'react'
import { announce } from '../app/announce.tsx'
import { noteTroubleIn } from '../app/notices.ts'
import { go, hrefOf } from '../app/route.ts'
import { keyIsTaken, useKey } from '../app/use-page-keys.ts'
import { download } from '../files/download.ts'
import { FileIcon } from '../files/file-icon.tsx'
import { nameOf, parentOf } from '../files/paths.ts'
import { useSpeech } from '../words/words.tsx'
import { useNeighbours } from './use-neighbours.ts'
import { openForView } from './opened.ts'
import { useLoaded } from './use-loaded.ts'
import { ViewBody } from './view-body.tsx'
import { ViewTrouble } from './view-trouble.tsx'
import { useViewWords } from './words.ts'
import styles from './view.module.css'

interface ViewPageProps {
  readonly path: string
  readonly version: number | undefined
}

export function ViewPage({ path, version }: ViewPageProps): ReactNode {
  const { words: pageWords, measures } = useSpeech()
  const words = useViewWords()
  const name = nameOf(path)
  const folder = parentOf(path)
  const page = useRef<HTMLElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  const { previous, next, place, count, complete } = useNeighbours(path)
  const close = (): void => go({ page: 'files', path: folder, show: name })
  const beside = (to: string | undefined): void => {
    if (to !== undefined) go({ page: 'view', path: to })
  }
  useKey('p', () => beside(previous))
  useKey('n', () => beside(next))
  useEscape(close)
  useEffect(() => {
    heading.current?.focus({ preventScroll: true })
  }, [])
  useEffect(() => {
    announce(name)
  }, [name])
  return (
    <section ref={page} className={styles.page} aria-label={name} data-testid="view">
      <div className={styles.head}>
        <ActionIcon
          component="a"
          variant="subtle"
          color="gray"
          c="var(--ink)"
          size="lg"
          href={hrefOf({ page: 'files', path: folder, show: name })}
          aria-label={words.back(folder === '/' ? words.root : nameOf(folder))}
          title={words.back(folder === '/' ? words.root : nameOf(folder))}
        >
          <IconArrowLeft size={20} aria-hidden />
        </ActionIcon>
        <FileIcon name={name} type="" size={22} />
        <h1 ref={heading} tabIndex={-1} className={styles.name} title={path}>
          {name}
          {version !== undefined && <span className={styles.version}> {words.version(version)}</span>}
        </h1>
        <div className={styles.beside}>
          <HeadButton name={words.previous} disabled={previous === undefined} run={() => beside(previous)}>
            <IconChevronLeft size={20} aria-hidden />
          </HeadButton>
          {place > 0 && (
            <span className={styles.place}>{words.place(measures.number(place), `${measures.number(count)}${complete ? '' : '+'}`)}</span>
          )}
          <HeadButton name={words.next} disabled={next === undefined} run={() => beside(next)}>
            <IconChevronRight size={20} aria-hidden />
          </HeadButton>
          <HeadButton name={words.download} run={() => void download({ path, name }, version).catch(noteTroubleIn(pageWords))}>
            <IconDownload size={20} aria-hidden />
          </HeadButton>
          <FullScreen page={page} />
        </div>
      </div>
      <Opening key={`${path} ${version ?? ''}`} path={path} version={version} />
    </section>
  )
}

function Opening({ path, version }: ViewPageProps): ReactNode {
  const { words: pageWords } = useSpeech()
  const words = useViewWords()
  const [tries, setTries] = useState(0)
  const load = useCallback(
    (signal: AbortSignal) => {
      void tries
      return openForView(path, version, signal)
    },
    [path, version, tries],
  )
  const opened = useLoaded(load)
  if (opened.state === 'loading') return <Opens />
  if (opened.state === 'failed')
    return (
      <ViewTrouble error={opened.error} retry={() => setTries(tries + 1)}>
        <Button
          variant="default"
          size="xs"
          mt={8}
          onClick={() => void download({ path, name: nameOf(path) }, version).catch(noteTroubleIn(pageWords))}
        >
          {words.download}
        </Button>
      </ViewTrouble>
    )
  return <ViewBody opened={opened.value} />
}

export function Opens(): ReactNode {
  const words = useViewWords()
  return (
    <div className={styles.opens} aria-busy="true">
      <Loader aria-hidden />
      <p role="status">{words.opening}</p>
    </div>
  )
}

interface HeadButtonProps {
  readonly name: string
  readonly run: () => void
  readonly disabled?: boolean
  readonly children: ReactNode
}

function HeadButton({ name, run, disabled = false, children }: HeadButtonProps): ReactNode {
  return (
    <ActionIcon variant="subtle" color="gray" c="var(--ink)" size="lg" onClick={run} disabled={disabled} aria-label={name} title={name}>
      {children}
    </ActionIcon>
  )
}

function FullScreen({ page }: { readonly page: { readonly current: HTMLElement | null } }): ReactNode {
  const words = useViewWords()
  const [full, setFull] = useState(false)
  useEffect(() => {
    const change = (): void => setFull(document.fullscreenElement !== null)
    document.addEventListener('fullscreenchange', change)
    return () => document.removeEventListener('fullscreenchange', change)
  }, [])
  if (!document.fullscreenEnabled) return null
  const turn = (): void => {
    const done = full ? document.exitFullscreen() : page.current?.requestFullscreen()
    done?.catch(() => undefined)
  }
  return (
    <HeadButton name={full ? words.leaveFull : words.full} run={turn}>
      {full ? <IconMinimize size={20} aria-hidden /> : <IconMaximize size={20} aria-hidden />}
    </HeadButton>
  )
}

/** Escape leaves the viewer, unless it has something smaller to leave. */
function useEscape(close: () => void): void {
  const act = useEffectEvent(close)
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || keyIsTaken(event) || document.fullscreenElement !== null) return
      act()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [])
}
