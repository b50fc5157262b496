// A dialog with a title: holds the focus, closes with Esc, gives the focus back.
import { Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { useWords } from '../words/words.tsx'
import styles from './dialog.module.css'

interface DialogProps {
  readonly title: string
  readonly close: () => void
  readonly wide?: boolean
  readonly children: ReactNode
}

export function Dialog({ title, close, wide = false, children }: DialogProps): ReactNode {
  const words = useWords()
  return (
    <Modal.Root opened onClose={close} size={wide ? 'lg' : 'md'} centered lockScroll={false} transitionProps={{ duration: 120 }}>
      <Modal.Overlay backgroundOpacity={0.45} />
      <Modal.Content>
        <div className={styles.head}>
          <Modal.Title className={styles.title}>{title}</Modal.Title>
          <Modal.CloseButton aria-label={words.app.close} />
        </div>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
