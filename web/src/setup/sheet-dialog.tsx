// The sheet again, whenever it is wanted.
import { Button, Modal } from '@mantine/core'
import { IconPrinter } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useWords } from '../words/words.tsx'
import { Sheet, type SheetProps } from './sheet.tsx'
import styles from './sheet.module.css'

export function SheetDialog({ vault, locations, close }: SheetProps & { readonly close: () => void }): ReactNode {
  const words = useWords()
  return (
    <Modal opened onClose={close} size="lg" title={words.sheet.title} closeButtonProps={{ 'aria-label': words.app.close }}>
      <p className={styles.lead}>{words.sheet.lead}</p>
      <Sheet vault={vault} locations={locations} />
      <div className={styles.buttons}>
        <Button variant="default" onClick={() => print()} leftSection={<IconPrinter size={18} aria-hidden />}>
          {words.sheet.print}
        </Button>
      </div>
    </Modal>
  )
}
