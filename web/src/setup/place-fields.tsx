// The fields of one location: a folder, or a bucket or container of a cloud.
import { ActionIcon, NativeSelect, TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useWords } from '../words/words.tsx'
import { CLOUDS, type DraftTrouble, type PlaceDraft, withKind } from './place-form.ts'
import styles from './place-fields.module.css'

interface PlaceFieldsProps {
  readonly number: number
  readonly draft: PlaceDraft
  readonly trouble: DraftTrouble
  readonly change: (draft: PlaceDraft) => void
  readonly remove?: (() => void) | undefined
}

export function PlaceFields({ number, draft, trouble, change, remove }: PlaceFieldsProps): ReactNode {
  const { setup, clouds, locations } = useWords()
  const kinds = ['folder', ...CLOUDS] as const
  const cloud = draft.kind === 'folder' ? undefined : clouds[draft.kind]
  const text = (name: Exclude<keyof PlaceDraft, 'id' | 'kind'>) => ({
    value: draft[name],
    onChange: (event: { currentTarget: { value: string } }) => change({ ...draft, [name]: event.currentTarget.value }),
    autoComplete: 'off',
    spellCheck: false,
  })
  return (
    <fieldset className={styles.place}>
      <legend className={styles.legend}>{setup.location(number)}</legend>
      <div className={styles.top}>
        <span className={styles.number} aria-hidden>
          {number}
        </span>
        <NativeSelect
          size="xs"
          aria-label={`${setup.kind}, ${setup.location(number)}`}
          value={draft.kind}
          onChange={({ currentTarget }) => change(withKind(draft, kinds.find((kind) => kind === currentTarget.value) ?? 'folder'))}
          data={kinds.map((kind) => ({ value: kind, label: locations.kinds[kind] }))}
        />
        {remove !== undefined && (
          <ActionIcon
            className={styles.remove}
            variant="subtle"
            color="gray"
            c="var(--ink)"
            onClick={remove}
            aria-label={setup.removeLocation(number)}
          >
            <IconX size={18} aria-hidden />
          </ActionIcon>
        )}
      </div>
      {cloud === undefined ? (
        <TextInput {...text('path')} label={setup.path} error={trouble.path} />
      ) : (
        <div className={styles.bucket}>
          <TextInput {...text('endpoint')} label={setup.endpoint} placeholder={cloud.endpoint} error={trouble.endpoint} inputMode="url" />
          <TextInput {...text('bucket')} label={cloud.bucket} error={trouble.bucket} />
          <TextInput {...text('prefix')} label={setup.prefix} />
          {draft.kind === 's3' && <TextInput {...text('region')} label={setup.region} placeholder="eu-central-1" />}
          <TextInput {...text('keyFile')} label={setup.keyFile} description={cloud.keyFile} className={styles.wide} />
          <TextInput {...text('label')} label={setup.label} description={setup.labelHint} className={styles.wide} />
        </div>
      )}
    </fieldset>
  )
}
