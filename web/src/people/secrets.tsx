// Tokens and keys of programs that act for a person.
import type { Credentials, MadeSecret, Scope, SecretRequest } from '#contract'
import { Button, CopyButton, NativeSelect, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useSpeech, useWords } from '../words/words.tsx'
import dialogs from '../files/dialogs.module.css'
import { useConfirmed } from './again.tsx'
import { peopleKeys } from './queries.ts'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

const MEANS = ['token', 'app-password', 'access-key'] as const
const RIGHTS = ['read', 'write', 'all'] as const
const DAYS = [30, 90, 365] as const

export function Secrets({ credentials }: { readonly credentials: Credentials }): ReactNode {
  const { measures } = useSpeech()
  const { own } = usePeopleWords()
  const queries = useQueryClient()
  const [making, setMaking] = useState(false)
  const remove = useConfirmed(
    (id: string) => client.removeSecret(id),
    (kept) => queries.setQueryData(peopleKeys.credentials, kept),
  )
  return (
    <section className={styles.card} aria-labelledby="secrets">
      <h2 id="secrets">{own.secrets}</h2>
      <p className={styles.small}>{own.secretsText}</p>
      <TroubleBox error={remove.work.error} />
      {credentials.secrets.length === 0 && <p className={styles.text}>{own.noSecrets}</p>}
      <ul className={styles.rows}>
        {credentials.secrets.map(({ id, means, name, scope, expires, expired, used, accessKey }) => (
          <li key={id} className={styles.row} data-testid="secret">
            <span className={styles.who}>
              <strong>{name}</strong> {accessKey !== null && <code>{accessKey}</code>}
              <span className={styles.soft}>
                {own.means[means]} · {own.rightsOf[scope.rights]}
                {scope.path !== '/' && ` · ${scope.path}`} ·{' '}
                {expired ? own.expired : own.ends(expires === null ? own.never : measures.when(expires))} ·{' '}
                {used === null ? own.unused : own.used(measures.day(used))}
              </span>
            </span>
            <Button size="xs" variant="subtle" color="red" onClick={() => remove.work.mutate(id)} aria-label={`${own.remove}: ${name}`}>
              {own.remove}
            </Button>
          </li>
        ))}
      </ul>
      <div className={styles.acts}>
        <Button variant="default" onClick={() => setMaking(true)}>
          {own.make}
        </Button>
      </div>
      {making && <MakeSecret close={() => setMaking(false)} />}
      {remove.asking}
    </section>
  )
}

function MakeSecret({ close }: { readonly close: () => void }): ReactNode {
  const words = useWords()
  const { own } = usePeopleWords()
  const queries = useQueryClient()
  const [means, setMeans] = useState<SecretRequest['means']>('token')
  const [name, setName] = useState('')
  const [rights, setRights] = useState<Scope['rights']>('read')
  const [path, setPath] = useState('/')
  const [days, setDays] = useState<string>('90')
  const { work, asking } = useConfirmed(
    () =>
      client.makeSecret({
        means,
        name,
        scope: { rights, path: path.startsWith('/') ? path : `/${path}` },
        days: days === '' ? null : Number(days),
      }),
    () => void queries.invalidateQueries({ queryKey: peopleKeys.credentials }),
  )
  if (work.data !== undefined) return <Made made={work.data} close={close} />
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    work.mutate(undefined)
  }
  return (
    <Dialog title={own.make} close={close}>
      <form className={styles.form} onSubmit={submit}>
        <NativeSelect
          label={own.meansLabel}
          value={means}
          onChange={(event) => setMeans(MEANS.find((one) => one === event.currentTarget.value) ?? 'token')}
          data={MEANS.map((value) => ({ value, label: own.means[value] }))}
        />
        <TextInput
          label={own.purpose}
          value={name}
          maxLength={100}
          autoComplete="off"
          required
          data-autofocus
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NativeSelect
          label={own.rights}
          value={rights}
          onChange={(event) => setRights(RIGHTS.find((one) => one === event.currentTarget.value) ?? 'read')}
          data={RIGHTS.map((value) => ({ value, label: own.rightsOf[value] }))}
        />
        <TextInput
          label={own.folder}
          value={path}
          maxLength={1000}
          autoComplete="off"
          required
          onChange={(event) => setPath(event.currentTarget.value)}
        />
        <NativeSelect
          label={own.days}
          value={days}
          onChange={(event) => setDays(event.currentTarget.value)}
          data={[...DAYS.map((value) => ({ value: String(value), label: own.daysOf(value) })), { value: '', label: own.never }]}
        />
        <TroubleBox error={work.error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close}>
            {words.app.cancel}
          </Button>
          <Button type="submit" loading={work.isPending} disabled={name.trim() === ''}>
            {own.make}
          </Button>
        </div>
      </form>
      {asking}
    </Dialog>
  )
}

function Made({ made, close }: { readonly made: MadeSecret; readonly close: () => void }): ReactNode {
  const people = usePeopleWords()
  const { own } = people
  return (
    <Dialog title={own.means[made.means]} close={close}>
      <div className={styles.form}>
        <p className={styles.text}>{own.made}</p>
        {made.accessKey !== null && (
          <>
            <span className={styles.small}>{own.accessKey}</span>
            <code className={styles.secret}>{made.accessKey}</code>
          </>
        )}
        <span className={styles.small}>{own.secret}</span>
        <code className={styles.secret} data-testid="made-secret">
          {made.secret}
        </code>
        <div className={dialogs.buttons}>
          <CopyButton value={made.secret}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy} data-autofocus>
                {copied ? people.copied : own.copySecret}
              </Button>
            )}
          </CopyButton>
          <Button onClick={close}>{people.done}</Button>
        </div>
      </div>
    </Dialog>
  )
}
