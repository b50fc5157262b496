// Bytes as hexadecimal numbers, eight a row, with the readable characters beside them.
import type { ReactNode } from 'react'
import styles from './fragment-view.module.css'

const ROW = 8

export function HexDump({
  bytes,
  labelBytes,
  label,
}: {
  readonly bytes: Uint8Array
  readonly labelBytes: number
  readonly label: string
}): ReactNode {
  const rows = Array.from({ length: Math.ceil(bytes.length / ROW) }, (_, row) => row * ROW)
  return (
    <pre className={styles.hex} tabIndex={0} aria-label={label} role="region">
      {rows.map((at) => {
        const part = [...bytes.subarray(at, at + ROW)]
        return (
          <span key={at} className={styles.hexRow}>
            <span className={styles.offset}>{at.toString(16).padStart(4, '0')}</span>
            {'  '}
            {part.map((byte, index) => (
              <span key={index} className={styles.byte} data-label={at + index < labelBytes}>
                {byte.toString(16).padStart(2, '0')}
              </span>
            ))}
            <span className={styles.readable}>{part.map(readable).join('')}</span>
            {'\n'}
          </span>
        )
      })}
    </pre>
  )
}

function readable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'
}
