// Right after the vault was made: the sheet to print, then the files.
import { Button } from '@mantine/core'
import { IconArrowRight, IconPrinter } from '@tabler/icons-react'
import { useEffect, useRef, type ReactNode } from 'react'
import { useWords } from '../words/words.tsx'
import { KitButton } from './kit-button.tsx'
import { Sheet, type SheetProps } from './sheet.tsx'
import styles from './sheet.module.css'

export function SheetPage({ vault, locations, go }: SheetProps & { readonly go: () => void }): ReactNode {
  const words = useWords()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    heading.current?.focus()
    document.title = `${words.sheet.title} · ${words.app.name}`
  }, [words])
  return (
    <div className={styles.page}>
      <div className={styles.noPrint}>
        <h1 ref={heading} tabIndex={-1}>
          {words.sheet.made}
        </h1>
        <p className={styles.lead}>
          <strong>{words.sheet.title}.</strong> {words.sheet.lead}
        </p>
        <div className={styles.buttons}>
          <Button size="md" onClick={go} rightSection={<IconArrowRight size={18} aria-hidden />}>
            {words.sheet.go}
          </Button>
          <Button size="md" variant="default" onClick={() => print()} leftSection={<IconPrinter size={18} aria-hidden />}>
            {words.sheet.print}
          </Button>
        </div>
        <KitButton large />
      </div>
      <Sheet vault={vault} locations={locations} />
    </div>
  )
}
