// The sheet again, whenever it is wanted.
import { Button } from '@mantine/core'
import { IconPrinter } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { useWords } from '../words/words.tsx'
import { KitButton } from './kit-button.tsx'
import { Sheet, type SheetProps } from './sheet.tsx'
import styles from './sheet.module.css'

export function SheetDialog({ vault, locations, close }: SheetProps & { readonly close: () => void }): ReactNode {
  const words = useWords()
  return (
    <Dialog title={words.sheet.title} close={close} wide>
      <p className={`${styles.lead} ${styles.noPrint}`}>{words.sheet.lead}</p>
      <Sheet vault={vault} locations={locations} />
      <div className={`${styles.buttons} ${styles.noPrint}`}>
        <Button variant="default" onClick={() => print()} leftSection={<IconPrinter size={18} aria-hidden />}>
          {words.sheet.print}
        </Button>
      </div>
      <KitButton />
    </Dialog>
  )
}
