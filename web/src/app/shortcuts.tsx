// All keys in one place, and the switch that turns the single ones off.
import { Kbd, Switch } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { Dialog } from './dialog.tsx'
import { useWords } from '../words/words.tsx'
import { enableShortcuts, shortcutsEnabled } from './use-page-keys.ts'
import styles from './shortcuts.module.css'

export function Shortcuts({ close }: { readonly close: () => void }): ReactNode {
  const { shortcuts } = useWords()
  const [enabled, setEnabled] = useState(shortcutsEnabled)
  const { keys } = shortcuts
  const rows = [
    ['help', ['?']],
    ['search', ['/']],
    ['upload', ['U']],
    ['folder', ['N']],
    ['files', ['F']],
    ['locations', ['L']],
    ['up', [keys.alt, '↑']],
    ['rows', ['↑', '↓']],
    ['ends', [keys.home, keys.end]],
    ['open', [keys.enter]],
    ['view', ['O']],
    ['beside', ['P', 'N']],
    ['select', [keys.space]],
    ['rename', ['F2']],
    ['remove', [keys.del]],
    ['close', [keys.esc]],
  ] as const
  return (
    <Dialog title={shortcuts.title} close={close}>
      <dl className={styles.list}>
        {rows.map(([name, pressed]) => (
          <div key={name} className={styles.row}>
            <dt>
              {pressed.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{shortcuts.list[name]}</dd>
          </div>
        ))}
      </dl>
      <p className={styles.text}>{shortcuts.text}</p>
      <Switch
        label={shortcuts.enabled}
        checked={enabled}
        onChange={(event) => {
          enableShortcuts(event.currentTarget.checked)
          setEnabled(event.currentTarget.checked)
        }}
      />
    </Dialog>
  )
}
