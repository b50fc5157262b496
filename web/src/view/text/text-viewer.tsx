// Text and JSON as they are: never as a page, never run.
import { Button, Switch } from '@mantine/core'
import { useCallback, useMemo, useState, type ReactNode } from 'react'
import { useSpeech } from '../../words/words.tsx'
import { useLoaded } from '../use-loaded.ts'
import type { ViewerProps } from '../view-body.tsx'
import { Opens } from '../view-page.tsx'
import { ViewTrouble } from '../view-trouble.tsx'
import { useViewWords } from '../words.ts'
import { arrangedJson, moreText, TEXT_BYTES_MAX, TEXT_STEP_BYTES, textEncoding, type TextStart } from './text-window.ts'
import styles from './text.module.css'

export function TextViewer({ opened }: ViewerProps): ReactNode {
  const { bytes, head, kind, file } = opened
  const words = useViewWords()
  const { measures } = useSpeech()
  const [wanted, setWanted] = useState(TEXT_STEP_BYTES)
  const [wrap, setWrap] = useState(true)
  const [arranged, setArranged] = useState(true)
  const { encoding, guessed } = useMemo(() => textEncoding(head), [head])
  const load = useCallback(
    async (signal: AbortSignal) => {
      let start: TextStart = { text: '', readBytes: 0 }
      while (start.readBytes < Math.min(wanted, bytes.sizeBytes)) start = await moreText(bytes, encoding, start, signal)
      return start
    },
    [bytes, encoding, wanted],
  )
  const loaded = useLoaded(load)
  const shown = loaded.state === 'ready' ? loaded.value : undefined
  const whole = shown !== undefined && shown.readBytes >= bytes.sizeBytes
  const json = useMemo(
    () => (kind.format === 'json' && whole && bytes.sizeBytes <= TEXT_STEP_BYTES ? arrangedJson(shown.text) : undefined),
    [kind.format, whole, bytes.sizeBytes, shown],
  )
  if (loaded.state === 'failed') return <ViewTrouble error={loaded.error} />
  if (shown === undefined) return <Opens />
  return (
    <div className={styles.viewer} data-testid="text">
      <div className={styles.bar}>
        <span>
          {words.text.encoding(encoding.toUpperCase(), guessed)} ·{' '}
          {words.text.shown(measures.bytes(shown.readBytes), measures.bytes(bytes.sizeBytes))}
          {kind.format === 'html' && ` · ${words.text.html}`}
        </span>
        <span className={styles.space} />
        {json !== undefined && (
          <Switch size="xs" label={words.text.arranged} checked={arranged} onChange={(event) => setArranged(event.currentTarget.checked)} />
        )}
        <Switch size="xs" label={words.text.wrap} checked={wrap} onChange={(event) => setWrap(event.currentTarget.checked)} />
      </div>
      <div className={styles.scroll} role="region" aria-label={words.text.label(file.name)} tabIndex={0}>
        <pre className={styles.text} data-wrap={wrap}>
          {json !== undefined && arranged ? json : shown.text}
        </pre>
        {!whole && shown.readBytes < TEXT_BYTES_MAX && (
          <Button variant="default" m={12} onClick={() => setWanted(shown.readBytes + TEXT_STEP_BYTES)}>
            {words.more}
          </Button>
        )}
        {!whole && shown.readBytes >= TEXT_BYTES_MAX && <p className={styles.full}>{words.text.full}</p>}
      </div>
    </div>
  )
}
