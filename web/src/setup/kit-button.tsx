// The recovery kit as one file, for who has no terminal. Secrets are never in it: sealing them takes the command line.
import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { crc32, fromBase64, Zip } from '#base'
import type { Kit } from '#contract'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useWords } from '../words/words.tsx'
import styles from './sheet.module.css'

const KEPT_MS = 60_000

export function KitButton({ large = false }: { readonly large?: boolean }): ReactNode {
  const { kit } = useWords()
  const [state, setState] = useState<'idle' | 'busy' | 'done'>('idle')
  const [error, setError] = useState<unknown>()
  const get = async (): Promise<void> => {
    setState('busy')
    setError(undefined)
    try {
      save(await client.makeKit({}))
      setState('done')
    } catch (failure) {
      setError(failure)
      setState('idle')
    }
  }
  return (
    <div className={styles.noPrint}>
      <Button
        {...(large ? { size: 'md' as const } : {})}
        variant="default"
        loading={state === 'busy'}
        onClick={() => void get()}
        leftSection={<IconDownload size={18} aria-hidden />}
      >
        {kit.get}
      </Button>
      <p className={styles.lead} role="status">
        {state === 'done' ? kit.done : kit.lead}
      </p>
      <TroubleBox error={error} />
    </div>
  )
}

function save({ facts, files }: Kit): void {
  const zip = new Zip()
  const folder = `quorate-kit-${facts.vault.id.slice(0, 8)}-${facts.made.slice(0, 10)}`
  for (const { name, data } of files) {
    const bytes = fromBase64(data)
    zip.addFile([folder, ...name.split('/')], { data: new Blob([bytes]), crc: crc32(bytes), modified: facts.made })
  }
  const address = URL.createObjectURL(zip.finish())
  const link = document.createElement('a')
  link.href = address
  link.download = `${folder}.zip`
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS)
}
