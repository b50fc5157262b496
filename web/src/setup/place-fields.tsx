// The fields of one location: a folder, or a bucket.
import { ActionIcon, SegmentedControl, TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useWords } from '../words/words.tsx'
import type { DraftTrouble, PlaceDraft } from './place-form.ts'
import styles from './place-fields.module.css'

interface PlaceFieldsProps {
  readonly number: number
  readonly draft: PlaceDraft
  readonly trouble: DraftTrouble
  readonly change: (draft: PlaceDraft) => void
  readonly remove?: (() => void) | undefined
}

export function PlaceFields({ number, draft, trouble, change, remove }: PlaceFieldsProps): ReactNode {
  const { setup } = useWords()
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
        <SegmentedControl
          size="xs"
          aria-label={`${setup.kind}, ${setup.location(number)}`}
          value={draft.kind}
          onChange={(kind) => change({ ...draft, kind: kind === 's3' ? 's3' : 'folder' })}
          data={[
            { value: 'folder', label: setup.folder },
            { value: 's3', label: setup.s3 },
          ]}
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
      {draft.kind === 'folder' ? (
        <TextInput {...text('path')} label={setup.path} error={trouble.path} />
      ) : (
        <div className={styles.bucket}>
          <TextInput
            {...text('endpoint')}
            label={setup.endpoint}
            placeholder={setup.endpointHint}
            error={trouble.endpoint}
            inputMode="url"
          />
          <TextInput {...text('bucket')} label={setup.bucket} error={trouble.bucket} />
          <TextInput {...text('prefix')} label={setup.prefix} />
          <TextInput {...text('region')} label={setup.region} placeholder="eu-central-1" />
          <TextInput {...text('keyFile')} label={setup.keyFile} description={setup.keyFileHint} className={styles.wide} />
          <TextInput {...text('label')} label={setup.label} description={setup.labelHint} className={styles.wide} />
        </div>
      )}
    </fieldset>
  )
}
