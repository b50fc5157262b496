// Bring something in, make a folder, find something in this one.
import { ActionIcon, Button, Menu, TextInput } from '@mantine/core'
import {
  IconDatabaseImport,
  IconFile,
  IconFolderPlus,
  IconFolderUp,
  IconHistory,
  IconSearch,
  IconShieldLock,
  IconUserCheck,
  IconUpload,
  IconX,
} from '@tabler/icons-react'
import { useRef, type ChangeEvent, type ReactNode } from 'react'
import { useKey } from '../app/use-page-keys.ts'
import { chosen } from '../uploads/walk.ts'
import { takeIn } from '../uploads/uploads.ts'
import { useWords } from '../words/words.tsx'
import type { Doing } from './deeds.ts'
import styles from './toolbar.module.css'

interface ToolbarProps {
  readonly path: string
  readonly typed: string
  readonly setTyped: (typed: string) => void
  readonly newFolder: () => void
  readonly doing: Doing
}

export function Toolbar({ path, typed, setTyped, newFolder, doing }: ToolbarProps): ReactNode {
  const words = useWords()
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const search = useRef<HTMLInputElement>(null)
  useKey('u', () => files.current?.click())
  useKey('n', newFolder)
  useKey('/', () => search.current?.focus())
  const take = (event: ChangeEvent<HTMLInputElement>): void => {
    const list = [...(event.currentTarget.files ?? [])]
    event.currentTarget.value = ''
    void takeIn(path, chosen(list))
  }
  return (
    <div className={styles.toolbar}>
      <Menu position="bottom-start">
        <Menu.Target>
          <Button leftSection={<IconUpload size={18} aria-hidden />}>{words.files.upload}</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconFile size={16} aria-hidden />} onClick={() => files.current?.click()}>
            {words.files.uploadFiles}
          </Menu.Item>
          <Menu.Item leftSection={<IconFolderUp size={16} aria-hidden />} onClick={() => folder.current?.click()}>
            {words.files.uploadFolder}
          </Menu.Item>
          <Menu.Item leftSection={<IconDatabaseImport size={16} aria-hidden />} onClick={() => doing({ kind: 'import', path })}>
            {words.files.adopt}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Button variant="default" leftSection={<IconFolderPlus size={18} aria-hidden />} onClick={newFolder}>
        {words.files.newFolder}
      </Button>
      <Menu position="bottom-start">
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={words.trash.ofFolder} title={words.trash.ofFolder}>
            <IconHistory size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconHistory size={16} aria-hidden />} onClick={() => doing({ kind: 'moment', path })}>
            {words.trash.asItWas}
          </Menu.Item>
          <Menu.Item leftSection={<IconUserCheck size={16} aria-hidden />} onClick={() => doing({ kind: 'grants', path })}>
            {words.files.grants}
          </Menu.Item>
          <Menu.Item leftSection={<IconShieldLock size={16} aria-hidden />} onClick={() => doing({ kind: 'keeping', path })}>
            {words.trash.keep}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <input ref={files} type="file" multiple hidden onChange={take} data-testid="choose-files" />
      <input ref={folder} type="file" multiple hidden onChange={take} data-testid="choose-folder" {...{ webkitdirectory: '' }} />
      <TextInput
        ref={search}
        className={styles.search}
        type="search"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setTyped('')
        }}
        aria-label={words.files.search}
        placeholder={words.files.search}
        leftSection={<IconSearch size={18} aria-hidden />}
        rightSection={
          typed === '' ? null : (
            <ActionIcon variant="subtle" color="gray" c="var(--ink)" size="sm" onClick={() => setTyped('')} aria-label={words.files.clear}>
              <IconX size={16} aria-hidden />
            </ActionIcon>
          )
        }
      />
    </div>
  )
}
