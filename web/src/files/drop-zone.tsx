// The whole folder is a place to drop files and folders on.
import { IconUpload } from '@tabler/icons-react'
import { useRef, useState, type DragEvent, type ReactNode } from 'react'
import { holdDrop } from '../uploads/walk.ts'
import { takeIn } from '../uploads/uploads.ts'
import { useWords } from '../words/words.tsx'
import { nameOf } from './paths.ts'
import styles from './drop-zone.module.css'

export function DropZone({ path, children }: { readonly path: string; readonly children: ReactNode }): ReactNode {
  const words = useWords()
  const [over, setOver] = useState(false)
  const depth = useRef(0)
  const enter = (event: DragEvent, step: 1 | -1): void => {
    if (!event.dataTransfer.types.includes('Files')) return
    event.preventDefault()
    depth.current = Math.max(0, depth.current + step)
    setOver(depth.current > 0)
  }
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    depth.current = 0
    setOver(false)
    void takeIn(path, holdDrop(event.dataTransfer)())
  }
  return (
    <div
      className={styles.zone}
      data-testid="drop-zone"
      onDragEnter={(event) => enter(event, 1)}
      onDragLeave={(event) => enter(event, -1)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
    >
      {children}
      {over && (
        <div className={styles.over}>
          <IconUpload size={40} aria-hidden />
          <strong>{words.files.drop}</strong>
          <span>{words.files.dropInto(path === '/' ? words.files.root : nameOf(path))}</span>
        </div>
      )}
    </div>
  )
}
