// The fields of one location: a folder, a bucket or container of a cloud, or a folder on a server.
import { ActionIcon, NativeSelect, TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useWords } from '../words/words.tsx'
import { CLOUDS, type DraftTrouble, type PlaceDraft, SERVERS, withKind } from './place-form.ts'
import styles from './place-fields.module.css'

interface PlaceFieldsProps {
  /** Its number among several; absent for a place that is no location of the vault. */
  readonly number?: number | undefined
  readonly kinds?: readonly PlaceDraft['kind'][] | undefined
  readonly draft: PlaceDraft
  readonly trouble: DraftTrouble
  readonly change: (draft: PlaceDraft) => void
  readonly remove?: (() => void) | undefined
}

const KINDS = ['folder', ...CLOUDS, ...SERVERS] as const

export function PlaceFields({ number, kinds = KINDS, draft, trouble, change, remove }: PlaceFieldsProps): ReactNode {
  const { setup, clouds, locations, servers } = useWords()
  const cloud = CLOUDS.find((kind) => kind === draft.kind)
  const text = (name: Exclude<keyof PlaceDraft, 'id' | 'kind'>) => ({
    value: draft[name],
    onChange: (event: { currentTarget: { value: string } }) => change({ ...draft, [name]: event.currentTarget.value }),
    autoComplete: 'off',
    spellCheck: false,
  })
  const title = number === undefined ? setup.source : setup.location(number)
  const named =
    number === undefined ? null : <TextInput {...text('label')} label={setup.label} description={setup.labelHint} className={styles.wide} />
  return (
    <fieldset className={styles.place}>
      <legend className={styles.legend}>{title}</legend>
      <div className={styles.top}>
        {number !== undefined && (
          <span className={styles.number} aria-hidden>
            {number}
          </span>
        )}
        <NativeSelect
          size="xs"
          aria-label={`${setup.kind}, ${title}`}
          value={draft.kind}
          onChange={({ currentTarget }) => change(withKind(draft, kinds.find((kind) => kind === currentTarget.value) ?? 'folder'))}
          data={kinds.map((kind) => ({ value: kind, label: locations.kinds[kind] }))}
        />
        {remove !== undefined && number !== undefined && (
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
      {draft.kind === 'folder' && <TextInput {...text('path')} label={setup.path} error={trouble.path} />}
      {draft.kind === 'sftp' && (
        <div className={styles.bucket}>
          <TextInput {...text('host')} label={servers.host} placeholder="sftp.example.org:22" error={trouble.host} inputMode="url" />
          <TextInput {...text('user')} label={servers.user} error={trouble.user} />
          <TextInput
            {...text('folder')}
            label={servers.folder}
            description={servers.folderHint}
            placeholder="/vault"
            error={trouble.folder}
            className={styles.wide}
          />
          <TextInput
            {...text('hostKey')}
            label={servers.hostKey}
            description={servers.hostKeyHint}
            placeholder="SHA256:…"
            error={trouble.hostKey}
            className={styles.wide}
          />
          <TextInput {...text('keyFile')} label={servers.keyFile} />
          <TextInput {...text('passwordFile')} label={servers.passwordFile} />
          <p className={styles.note}>{servers.secrets}</p>
          {named}
        </div>
      )}
      {draft.kind === 'webdav' && (
        <div className={styles.bucket}>
          <TextInput
            {...text('endpoint')}
            label={servers.address}
            description={servers.addressHint}
            placeholder="https://dav.example.org/vault"
            error={trouble.endpoint}
            inputMode="url"
            className={styles.wide}
          />
          <TextInput {...text('keyFile')} label={servers.credentials} description={servers.credentialsHint} className={styles.wide} />
          {named}
        </div>
      )}
      {cloud !== undefined && (
        <div className={styles.bucket}>
          <TextInput
            {...text('endpoint')}
            label={setup.endpoint}
            placeholder={clouds[cloud].endpoint}
            error={trouble.endpoint}
            inputMode="url"
          />
          <TextInput {...text('bucket')} label={clouds[cloud].bucket} error={trouble.bucket} />
          <TextInput {...text('prefix')} label={setup.prefix} />
          {draft.kind === 's3' && <TextInput {...text('region')} label={setup.region} placeholder="eu-central-1" />}
          <TextInput {...text('keyFile')} label={setup.keyFile} description={clouds[cloud].keyFile} className={styles.wide} />
          {named}
        </div>
      )}
    </fieldset>
  )
}
