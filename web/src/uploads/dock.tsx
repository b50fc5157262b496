// What is being uploaded: one bar for all, a row for each that matters now.
import { ActionIcon, Button, Progress } from '@mantine/core'
import { IconChevronDown, IconChevronUp, IconX } from '@tabler/icons-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { announce } from '../app/announce.tsx'
import { usePublishedHeight } from '../app/use-published-height.ts'
import { useSpeech } from '../words/words.tsx'
import type { QueueView } from './queue.ts'
import { Unfinished, useUnfinished } from './unfinished.tsx'
import { UploadRow } from './upload-row.tsx'
import { forgetIntake, uploads, useIntake, useUploads } from './uploads.ts'
import styles from './dock.module.css'

export function Dock(): ReactNode {
  const { words, measures } = useSpeech()
  const view = useUploads()
  const intake = useIntake()
  const [choice, setChoice] = useState<boolean | undefined>()
  const open = choice ?? (view.busy || view.failed > 0 || view.files === 0)
  useLeaveWarning(view.busy)
  useSayProgress(view)
  const left = useUnfinished(view)
  const [dismissed, setDismissed] = useState(false)
  const unfinished = dismissed ? [] : left
  const none = view.files === 0 && view.cancelled === 0
  const empty =
    unfinished.length === 0 && view.files === 0 && view.cancelled === 0 && intake.reading === null && intake.unreadable.length === 0
  const dock = usePublishedHeight<HTMLElement>('--dock-height', !empty)
  useEffect(() => {
    if (view.busy) setChoice(undefined)
  }, [view.busy])
  useClearWhenSettled(
    view.files > 0 && !open && view.failed === 0 && intake.reading === null && intake.unreadable.length + intake.refused === 0,
  )
  if (empty) return null
  const percent = view.bytes > 0 ? Math.min(100, (view.sentBytes / view.bytes) * 100) : view.busy ? 0 : 100
  return (
    <section ref={dock} className={styles.dock} aria-label={words.uploads.title} data-testid="dock">
      <div className={styles.head}>
        <strong data-testid="dock-title">{titleOf(view, words)}</strong>
        <span className={styles.rate}>
          {view.bytesPerSecond > 0 && words.uploads.rate(measures.bytes(view.bytesPerSecond))}
          {view.remainingSeconds !== null && ` · ${words.uploads.left(measures.duration(view.remainingSeconds))}`}
        </span>
        <ActionIcon
          variant="subtle"
          color="gray"
          c="var(--ink)"
          onClick={() => setChoice(!open)}
          aria-expanded={open}
          aria-label={open ? words.uploads.collapse : words.uploads.expand}
        >
          {open ? <IconChevronDown size={18} aria-hidden /> : <IconChevronUp size={18} aria-hidden />}
        </ActionIcon>
        {!view.busy && (
          <ActionIcon
            variant="subtle"
            color="gray"
            c="var(--ink)"
            onClick={() => {
              clear()
              setDismissed(true)
            }}
            aria-label={words.uploads.clear}
            title={words.uploads.clear}
          >
            <IconX size={18} aria-hidden />
          </ActionIcon>
        )}
      </div>
      {!none && (
        <Progress value={percent} size="sm" color={view.failed > 0 && !view.busy ? 'red' : 'pine'} aria-label={words.uploads.progress} />
      )}
      {open && (
        <>
          {view.paused && <p className={styles.note}>{words.uploads.paused}</p>}
          {intake.reading !== null && <p className={styles.note}>{words.uploads.reading(intake.reading)}</p>}
          {intake.refused > 0 && <p className={styles.note}>{words.uploads.tooMany(view.files)}</p>}
          {intake.unreadable.length > 0 && (
            <p className={styles.note}>
              {words.uploads.unreadableFolder}: {intake.unreadable.join(', ')}
            </p>
          )}
          <ul className={styles.rows}>
            {[...view.failures, ...view.active, ...view.waiting, ...view.recent].map((upload) => (
              <UploadRow key={upload.id} upload={upload} />
            ))}
          </ul>
          {view.waitingCount > view.waiting.length && (
            <p className={styles.note}>{words.uploads.moreWaiting(view.waitingCount - view.waiting.length)}</p>
          )}
          <Unfinished uploads={unfinished} />
          {(view.busy || view.failed > 0) && (
            <div className={styles.all}>
              {view.failed > 0 && (
                <Button size="xs" variant="light" onClick={() => uploads.retryAll()}>
                  {words.uploads.retryAll}
                </Button>
              )}
              {view.busy && (
                <Button size="xs" variant="default" onClick={() => uploads.cancelAll()}>
                  {words.uploads.cancelAll}
                </Button>
              )}
            </div>
          )}
        </>
      )}
    </section>
  )
}

function titleOf(view: QueueView, words: ReturnType<typeof useSpeech>['words']): string {
  if (view.files === 0 && view.cancelled === 0) return words.uploads.title
  if (view.busy) return words.uploads.running(view.done, view.files)
  const parts = [words.uploads.finished(view.done)]
  if (view.failed > 0) parts.push(words.uploads.failed(view.failed))
  if (view.cancelled > 0) parts.push(words.uploads.cancelled(view.cancelled))
  return parts.join(', ')
}

function clear(): void {
  uploads.clear()
  forgetIntake()
}

const SETTLED_MS = 20_000

/** A list of what went well, closed, goes by itself after a while. */
function useClearWhenSettled(settled: boolean): void {
  useEffect(() => {
    if (!settled) return
    const timer = setTimeout(clear, SETTLED_MS)
    return () => clearTimeout(timer)
  }, [settled])
}

/** The browser asks before the page closes while something is on its way. */
function useLeaveWarning(busy: boolean): void {
  useEffect(() => {
    if (!busy) return
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [busy])
}

const SAY_MS = 15_000

/** Tells screen readers now and then, and at the end; not at every byte. */
function useSayProgress({ busy, done, files, failed }: QueueView): void {
  const { words } = useSpeech()
  const latest = useRef({ done, files, failed })
  useEffect(() => {
    latest.current = { done, files, failed }
  }, [done, files, failed])
  useEffect(() => {
    if (!busy) return
    const timer = setInterval(() => announce(words.uploads.said(latest.current.done, latest.current.files)), SAY_MS)
    return () => {
      clearInterval(timer)
      announce(words.uploads.saidEnd(latest.current.done, latest.current.failed))
    }
  }, [busy, words])
}
