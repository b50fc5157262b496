// One name: of a new folder, or instead of the old one.
import { Button, TextInput } from '@mantine/core'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useWords } from '../words/words.tsx'
import type { Words } from '../words/en.ts'
import type { DeedProps } from './deed-dialog.tsx'
import type { Deed } from './deeds.ts'
import styles from './dialogs.module.css'
import { joinPath, parentOf } from './paths.ts'
import { useDeed } from './use-deed.ts'

export function NameDialog({ deed, close, done }: DeedProps<Extract<Deed, { kind: 'folder' | 'rename' }>>): ReactNode {
  const words = useWords()
  const [name, setName] = useState(deed.kind === 'rename' ? deed.entry.name : '')
  const [tried, setTried] = useState(false)
  const { run, running, error } = useDeed(async (chosen: string) => {
    if (deed.kind === 'folder') {
      await client.createFolder({ path: joinPath(deed.in, chosen) })
      return words.dialogs.done.made(chosen)
    }
    await client.move({ from: deed.entry.path, to: joinPath(parentOf(deed.entry.path), chosen) })
    return words.dialogs.done.renamed(chosen)
  }, done)
  const wrong = nameTrouble(name, words)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (wrong === undefined) run(name.trim())
  }
  return (
    <Dialog title={deed.kind === 'folder' ? words.dialogs.newFolder : words.dialogs.rename(deed.entry.name)} close={close}>
      <form onSubmit={submit} className={styles.form} noValidate>
        <TextInput
          data-autofocus
          label={deed.kind === 'folder' ? words.dialogs.folderName : words.dialogs.newName}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          onFocus={(event) => selectStem(event.currentTarget)}
          error={tried ? wrong : undefined}
          maxLength={255}
          autoComplete="off"
          spellCheck={false}
        />
        <TroubleBox error={error} />
        <div className={styles.buttons}>
          <Button variant="default" onClick={close}>
            {words.app.cancel}
          </Button>
          <Button type="submit" loading={running}>
            {deed.kind === 'folder' ? words.dialogs.create : words.files.rename}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

export function nameTrouble(name: string, words: Words): string | undefined {
  const trimmed = name.trim()
  if (trimmed === '') return words.dialogs.nameEmpty
  if (trimmed.includes('/')) return words.dialogs.nameSlash
  if (trimmed === '.' || trimmed === '..') return words.dialogs.nameDots
  return undefined
}

/** Selects the name without its ending, which people rarely mean to change. */
function selectStem(input: HTMLInputElement): void {
  const dot = input.value.lastIndexOf('.')
  input.setSelectionRange(0, dot > 0 ? dot : input.value.length)
}
