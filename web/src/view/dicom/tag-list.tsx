// What a DICOM object says of itself, element by element, where there is no picture to look at.
import type { ReactNode } from 'react'
import { useViewWords } from '../words.ts'
import type { DicomFile } from './dicom-file.ts'
import styles from './dicom.module.css'

const SHOWN_MAX = 400
const VALUE_CHARS_MAX = 200
const BINARY = new Set(['OB', 'OW', 'OD', 'OF', 'OL', 'OV', 'UN', 'SQ'])
const NUMBERS = new Set(['US', 'SS', 'UL', 'SL', 'FL', 'FD'])

export function TagList({ dicom }: { readonly dicom: DicomFile }): ReactNode {
  const words = useViewWords()
  const tags = [...dicom.dataset].slice(0, SHOWN_MAX)
  return (
    <details className={styles.tags}>
      <summary>{words.dicom.tags}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.dicom.tag}</th>
            <th scope="col">{words.dicom.value}</th>
          </tr>
        </thead>
        <tbody>
          {tags.map(([tag, { vr, length }]) => (
            <tr key={tag}>
              <th scope="row">
                <code>
                  {hex(tag >>> 16)},{hex(tag & 0xffff)} {vr}
                </code>
              </th>
              <td>
                {BINARY.has(vr)
                  ? `${length ?? ''}`
                  : (NUMBERS.has(vr) ? dicom.numbers(tag) : dicom.strings(tag)).join(' \\ ').slice(0, VALUE_CHARS_MAX)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

function hex(half: number): string {
  return half.toString(16).padStart(4, '0')
}
