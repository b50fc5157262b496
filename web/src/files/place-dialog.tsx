// Where to move or copy: walk through the folders, then say "here".
import { isFailure } from '#base'
import type { Entry } from '#contract'
import { Button, TextInput } from '@mantine/core'
import { IconCornerLeftUp, IconFolderFilled } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useWords } from '../words/words.tsx'
import type { DeedProps } from './deed-dialog.tsx'
import type { Deed } from './deeds.ts'
import styles from './dialogs.module.css'
import { nameTrouble } from './name-dialog.tsx'
import { joinPath, nameOf, parentOf, within } from './paths.ts'
import { useDeed } from './use-deed.ts'
import { useListing } from './use-listing.ts'

export function PlaceDialog({ deed, close, done }: DeedProps<Extract<Deed, { kind: 'move' | 'copy' }>>): ReactNode {
  const words = useWords()
  const first = deed.entries[0]!
  const home = parentOf(first.path)
  const [folder, setFolder] = useState(home)
  const single = deed.kind === 'copy' && deed.entries.length === 1
  const [name, setName] = useState(first.name)
  const { run, running, error } = useDeed(async (replace: boolean) => {
    for (const entry of deed.entries) {
      const request = { from: entry.path, to: joinPath(folder, single ? name.trim() : entry.name), replace }
      await (deed.kind === 'move' ? client.move(request) : client.copy(request))
    }
    return (deed.kind === 'move' ? words.dialogs.done.moved : words.dialogs.done.copied)(deed.entries.length)
  }, done)
  const count = deed.entries.length
  const title = deed.kind === 'move' ? words.dialogs.moveTitle(count, first.name) : words.dialogs.copyTitle(count, first.name)
  const exists = isFailure(error, 'storage.exists')
  const wrongName = single ? nameTrouble(name, words) : undefined
  const here = words.dialogs.here(folder === '/' ? words.files.root : nameOf(folder))
  const useless = folder === home && (deed.kind === 'move' || (single && name.trim() === first.name))
  return (
    <Dialog title={title} close={close}>
      <div className={styles.form}>
        <FolderBrowser folder={folder} setFolder={setFolder} moving={deed.entries} />
        {single && (
          <TextInput
            label={words.dialogs.copyName}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={wrongName}
            description={words.dialogs.copyCheap}
          />
        )}
        {exists ? (
          <div role="alert" className={styles.form}>
            <p className={styles.text}>{words.dialogs.replace}</p>
            <Button color="red" onClick={() => run(true)} loading={running}>
              {words.dialogs.replaceYes}
            </Button>
          </div>
        ) : (
          <TroubleBox error={error} />
        )}
        <div className={styles.buttons}>
          <Button variant="default" onClick={close}>
            {words.app.cancel}
          </Button>
          <Button onClick={() => run(false)} loading={running} disabled={useless || wrongName !== undefined}>
            {here}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

interface FolderBrowserProps {
  readonly folder: string
  readonly setFolder: (folder: string) => void
  /** A folder cannot go into itself. */
  readonly moving: readonly Entry[]
}

function FolderBrowser({ folder, setFolder, moving }: FolderBrowserProps): ReactNode {
  const words = useWords()
  const listing = useListing({ path: folder, whole: true })
  const folders = listing.entries.filter((entry) => entry.kind === 'folder' && !moving.some((moved) => within(entry.path, moved.path)))
  return (
    <div className={styles.browser} role="group" aria-label={words.dialogs.where}>
      <div className={styles.where}>
        <IconFolderFilled size={18} aria-hidden /> {folder === '/' ? words.files.root : folder}
      </div>
      <ul className={styles.folders} aria-busy={listing.pending}>
        {folder !== '/' && (
          <li>
            <button type="button" onClick={() => setFolder(parentOf(folder))}>
              <IconCornerLeftUp size={18} aria-hidden /> {words.dialogs.up}
            </button>
          </li>
        )}
        {folders.map((entry) => (
          <li key={entry.path}>
            <button type="button" onClick={() => setFolder(entry.path)}>
              <IconFolderFilled size={18} color="var(--mantine-color-pine-5)" aria-hidden /> {entry.name}
            </button>
          </li>
        ))}
        {!listing.pending && folders.length === 0 && <li className={styles.none}>{words.dialogs.noFolders}</li>}
      </ul>
      <TroubleBox error={listing.error} retry={listing.again} />
    </div>
  )
}
