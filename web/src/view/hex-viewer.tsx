// What has no viewer: what it may be, and its first bytes.
import type { ReactNode } from 'react'
import { HexDump } from '../files/hex-dump.tsx'
import { useSpeech } from '../words/words.tsx'
import type { ViewerProps } from './view-body.tsx'
import { useViewWords } from './words.ts'
import styles from './view.module.css'

const SHOWN_BYTES = 1024

export function HexViewer({ opened: { kind, file } }: ViewerProps): ReactNode {
  const words = useViewWords()
  const { measures } = useSpeech()
  const bytes = file.head.subarray(0, SHOWN_BYTES)
  return (
    <div className={styles.hex} data-testid="hex">
      <p>
        {words.hex.what(words.formats[kind.format])} {(kind.family === 'other' || kind.family === 'gzip') && words.hex.none}
      </p>
      <h2 className={styles.hexTitle}>{words.hex.first(measures.bytes(bytes.length))}</h2>
      <HexDump bytes={bytes} labelBytes={0} label={words.hex.bytes} />
    </div>
  )
}
