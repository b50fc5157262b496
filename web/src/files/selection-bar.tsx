// What can be done with everything that is selected.
import type { Entry } from '#contract'
import { ActionIcon, Button } from '@mantine/core'
import { IconCopy, IconDownload, IconFolderSymlink, IconTrash, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { noteTroubleIn } from '../app/notices.ts'
import { useWords } from '../words/words.tsx'
import type { Doing } from './deeds.ts'
import { downloadAll } from './download.ts'
import styles from './selection-bar.module.css'

export function SelectionBar({
  selection,
  clear,
  doing,
}: {
  readonly selection: readonly Entry[]
  readonly clear: () => void
  readonly doing: Doing
}): ReactNode {
  const words = useWords()
  const onlyFiles = selection.every((entry) => entry.kind === 'file')
  return (
    <div className={styles.bar} role="toolbar" aria-label={words.files.selected(selection.length)}>
      <ActionIcon variant="subtle" color="gray" c="var(--ink)" onClick={clear} aria-label={words.files.selectNone}>
        <IconX size={18} aria-hidden />
      </ActionIcon>
      <strong className={styles.count} role="status">
        {words.files.selected(selection.length)}
      </strong>
      {onlyFiles && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          onClick={() => void downloadAll(selection).catch(noteTroubleIn(words))}
        >
          {words.files.download}
        </Button>
      )}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconFolderSymlink size={16} aria-hidden />}
        onClick={() => doing({ kind: 'move', entries: selection })}
      >
        {words.files.move}
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconCopy size={16} aria-hidden />}
        onClick={() => doing({ kind: 'copy', entries: selection })}
      >
        {words.files.copy}
      </Button>
      <Button
        size="xs"
        variant="default"
        c="var(--bad)"
        leftSection={<IconTrash size={16} aria-hidden />}
        onClick={() => doing({ kind: 'remove', entries: selection })}
      >
        {words.files.remove}
      </Button>
    </div>
  )
}
