// Removing is asked: what is meant for the trash can be brought back, a single version cannot.
import { isFailure } from '#base'
import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox } from '../app/trouble-box.tsx'
import { go } from '../app/route.ts'
import { client } from '../site/client.ts'
import { useWords } from '../words/words.tsx'
import type { DeedProps } from './deed-dialog.tsx'
import type { Deed } from './deeds.ts'
import styles from './dialogs.module.css'
import { parentOf } from './paths.ts'
import { useDeed } from './use-deed.ts'

const NAMES_SHOWN = 8

export function RemoveDialog({ deed, close, done }: DeedProps<Extract<Deed, { kind: 'remove' | 'remove-version' }>>): ReactNode {
  const words = useWords()
  const entries = deed.kind === 'remove' ? deed.entries : [deed.entry]
  const first = entries[0]!
  const { run, running, error } = useDeed(async () => {
    if (deed.kind === 'remove-version') {
      await client.remove({ path: deed.entry.path, version: deed.version })
      return words.dialogs.done.removed(words.details.versionLine(deed.version))
    }
    for (const entry of deed.entries) await removeEntry(entry.path, entry.kind === 'folder')
    go({ page: 'files', path: parentOf(first.path) })
    return words.dialogs.done.removed(deed.entries.length === 1 ? first.name : words.files.selected(deed.entries.length))
  }, done)
  const title =
    deed.kind === 'remove-version' ? words.details.removeVersion(deed.version) : words.dialogs.removeTitle(entries.length, first.name)
  return (
    <Dialog title={title} close={close}>
      <div className={styles.form}>
        {entries.length > 1 && (
          <ul className={styles.names}>
            {entries.slice(0, NAMES_SHOWN).map((entry) => (
              <li key={entry.path}>{entry.name}</li>
            ))}
            {entries.length > NAMES_SHOWN && <li>…</li>}
          </ul>
        )}
        <p className={styles.text}>
          {deed.kind === 'remove-version'
            ? words.details.removeVersionText
            : entries.length > 1
              ? words.dialogs.removeMany
              : first.kind === 'folder'
                ? words.dialogs.removeFolder
                : words.dialogs.removeFile}
        </p>
        <TroubleBox error={error} />
        <div className={styles.buttons}>
          <Button variant="default" onClick={close} data-autofocus>
            {words.app.cancel}
          </Button>
          <Button color="red" onClick={() => run(undefined)} loading={running}>
            {words.files.remove}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

/** What somebody else removed meanwhile is removed. */
async function removeEntry(path: string, recursive: boolean): Promise<void> {
  try {
    await client.remove({ path, ...(recursive ? { recursive } : {}) })
  } catch (error) {
    if (!isFailure(error, 'storage.absent')) throw error
  }
}
