// One file or folder of the table.
import type { Entry, Redundancy } from '#contract'
import { ActionIcon, Checkbox, Menu } from '@mantine/core'
import {
  IconCopy,
  IconDotsVertical,
  IconDownload,
  IconEye,
  IconFolderFilled,
  IconFolderSymlink,
  IconInfoCircle,
  IconPencil,
  IconTrash,
  IconUserCheck,
} from '@tabler/icons-react'
import { memo, type ReactNode } from 'react'
import { noteTroubleIn } from '../app/notices.ts'
import { go } from '../app/route.ts'
import { toneOfRedundancy } from '../pictures/tone.ts'
import { ToneIcon, TonePill } from '../pictures/tone-icon.tsx'
import { useSpeech } from '../words/words.tsx'
import type { Doing } from './deeds.ts'
import { download } from './download.ts'
import { FileIcon } from './file-icon.tsx'
import styles from './file-table.module.css'

interface FileRowProps {
  readonly entry: Entry
  readonly index: number
  /** The row that Tab reaches. */
  readonly current: boolean
  readonly shown: boolean
  readonly picked: boolean
  readonly pick: (entry: Entry) => void
  readonly focused: (index: number) => void
  readonly open: (entry: Entry) => void
  readonly doing: Doing
}

export const FileRow = memo(function FileRow({
  entry,
  index,
  current,
  shown,
  picked,
  pick,
  focused,
  open,
  doing,
}: FileRowProps): ReactNode {
  const { words, measures } = useSpeech()
  const stop = current ? 0 : -1
  const isFile = entry.kind === 'file'
  return (
    <tr
      className={styles.row}
      data-row={index}
      data-picked={picked}
      data-shown={shown}
      aria-rowindex={index + 2}
      onFocus={() => focused(index)}
    >
      <td className={styles.check}>
        <Checkbox size="xs" checked={picked} onChange={() => pick(entry)} tabIndex={stop} aria-label={words.files.select(entry.name)} />
      </td>
      <th scope="row" className={styles.name}>
        <button
          type="button"
          className={styles.open}
          data-open
          tabIndex={stop}
          onClick={() => open(entry)}
          title={entry.name}
          aria-current={shown ? 'true' : undefined}
        >
          {isFile ? (
            <FileIcon name={entry.name} type={entry.type} />
          ) : (
            <IconFolderFilled size={20} className={styles.folderIcon} aria-hidden />
          )}
          <span className={styles.unseen}>{isFile ? words.files.file : words.files.folder} </span>
          <span className={styles.label}>{entry.name}</span>
        </button>
        <span className={styles.under} aria-hidden>
          {isFile && (
            <>
              {measures.bytes(entry.size)} · {measures.when(entry.modified)}{' '}
              <ToneIcon tone={toneOfRedundancy[entry.redundancy]} size={13} />
            </>
          )}
        </span>
      </th>
      <td className={styles.size}>{isFile ? measures.bytes(entry.size) : ''}</td>
      <td className={styles.modified}>
        <time dateTime={entry.modified} title={measures.date(entry.modified)}>
          {measures.when(entry.modified)}
        </time>
      </td>
      <td className={styles.spread}>{isFile && <Spread redundancy={entry.redundancy} />}</td>
      <td className={styles.actions}>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" c="var(--ink-soft)" tabIndex={stop} aria-label={words.files.actionsFor(entry.name)}>
              <IconDotsVertical size={18} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {isFile && (
              <>
                <Menu.Item leftSection={<IconEye size={16} aria-hidden />} onClick={() => go({ page: 'view', path: entry.path })}>
                  {words.files.open}
                </Menu.Item>
                <Menu.Item
                  leftSection={<IconDownload size={16} aria-hidden />}
                  onClick={() => void download(entry).catch(noteTroubleIn(words))}
                >
                  {words.files.download}
                </Menu.Item>
                <Menu.Item leftSection={<IconInfoCircle size={16} aria-hidden />} onClick={() => open(entry)}>
                  {words.files.details}
                </Menu.Item>
              </>
            )}
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => doing({ kind: 'rename', entry })}>
              {words.files.rename}
            </Menu.Item>
            <Menu.Item leftSection={<IconUserCheck size={16} aria-hidden />} onClick={() => doing({ kind: 'grants', path: entry.path })}>
              {words.files.grantsOne(entry.name)}
            </Menu.Item>
            <Menu.Item leftSection={<IconFolderSymlink size={16} aria-hidden />} onClick={() => doing({ kind: 'move', entries: [entry] })}>
              {words.files.move}
            </Menu.Item>
            <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={() => doing({ kind: 'copy', entries: [entry] })}>
              {words.files.copy}
            </Menu.Item>
            <Menu.Divider />
            <Menu.Item
              c="var(--bad)"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => doing({ kind: 'remove', entries: [entry] })}
            >
              {words.files.remove}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </td>
    </tr>
  )
})

/** Quiet where all is well, a pill where it is not. */
function Spread({ redundancy }: { readonly redundancy: Redundancy }): ReactNode {
  const { words } = useSpeech()
  const word = words.files.redundancy[redundancy]
  if (redundancy !== 'redundant') return <TonePill tone={toneOfRedundancy[redundancy]}>{word}</TonePill>
  return (
    <span className={styles.well}>
      <ToneIcon tone="good" size={14} /> {word}
    </span>
  )
}
