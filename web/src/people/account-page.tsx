// One's own account: with what one signs in, which programs act for one, and where one is signed in.
import type { Credentials, Me } from '#contract'
import { Button, Skeleton } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useSpeech, useWords } from '../words/words.tsx'
import { useConfirmed } from './again.tsx'
import { makePasskey, passkeysKnown } from './passkey.ts'
import { PasswordForm } from './password-form.tsx'
import { peopleKeys, useCredentials, useMe } from './queries.ts'
import { Secrets } from './secrets.tsx'
import { Sessions } from './sessions.tsx'
import { SignInTrouble } from './sign-in-trouble.tsx'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

export function AccountPage(): ReactNode {
  const words = useWords()
  const { own, roleNames, noRole } = usePeopleWords()
  const me = useMe()
  const isPerson = me.data?.kind === 'person'
  const credentials = useCredentials(isPerson)
  useEffect(() => {
    document.title = `${own.title} · ${words.app.name}`
  }, [own, words])
  const person = me.data?.person
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>{own.title}</h1>
      </div>
      <TroubleBox error={me.error ?? credentials.error} />
      {me.data?.kind === 'operator' && <p className={styles.lead}>{own.operator}</p>}
      {person !== undefined && person !== null && (
        <p className={styles.lead}>
          <strong>{person.name}</strong>
          {person.account !== null && ` · ${person.account}`} ·{' '}
          {person.roles.length === 0 ? noRole : person.roles.map((one) => roleNames[one]).join(', ')}
          {person.groups.length > 0 && ` · ${person.groups.map(({ name }) => name).join(', ')}`}
        </p>
      )}
      {isPerson && credentials.data === undefined && credentials.error === null && <Skeleton height={240} radius="lg" />}
      {me.data?.kind === 'person' && credentials.data !== undefined && (
        <>
          <Passkeys me={me.data} credentials={credentials.data} />
          <Password me={me.data} credentials={credentials.data} />
          <Secrets credentials={credentials.data} />
          <Sessions />
        </>
      )}
    </div>
  )
}

function useKept(): (credentials: Credentials) => void {
  const queries = useQueryClient()
  return (credentials) => queries.setQueryData(peopleKeys.credentials, credentials)
}

function Passkeys({ me, credentials }: { readonly me: Me; readonly credentials: Credentials }): ReactNode {
  const { measures } = useSpeech()
  const { own, accept } = usePeopleWords()
  const keep = useKept()
  const add = useConfirmed(async () => {
    const { options } = await client.passkeyOptions()
    return client.addPasskey({ response: await makePasskey(options), name: `${accept.keyDefault} ${credentials.passkeys.length + 1}` })
  }, keep)
  const remove = useConfirmed((id: string) => client.removePasskey(id), keep)
  const error = remove.work.error ?? add.work.error
  return (
    <section className={styles.card} aria-labelledby="passkeys">
      <h2 id="passkeys">{own.passkeys}</h2>
      <p className={styles.small}>{credentials.passkeys.length === 0 ? own.noPasskeys : own.passkeysText}</p>
      {credentials.providers.length > 0 && (
        <p className={styles.small}>{own.providers(credentials.providers.map(({ issuer }) => issuer).join(', '))}</p>
      )}
      <SignInTrouble error={error} />
      <ul className={styles.rows}>
        {credentials.passkeys.map(({ id, name, site, copied, created, used }) => (
          <li key={id} className={styles.row} data-testid="passkey">
            <span className={styles.who}>
              <strong>{name}</strong>
              <span className={styles.soft}>
                {own.works(site)} · {copied ? own.copied : own.bound} · {own.created(measures.when(created))} ·{' '}
                {used === null ? own.unused : own.used(measures.day(used))}
              </span>
            </span>
            <Button size="xs" variant="subtle" color="red" onClick={() => remove.work.mutate(id)} aria-label={`${own.remove}: ${name}`}>
              {own.remove}
            </Button>
          </li>
        ))}
      </ul>
      {me.passkeys && passkeysKnown() && (
        <div className={styles.acts}>
          <Button variant="default" loading={add.work.isPending} onClick={() => add.work.mutate(undefined)}>
            {own.addPasskey}
          </Button>
        </div>
      )}
      {add.asking}
      {remove.asking}
    </section>
  )
}

function Password({ me, credentials }: { readonly me: Me; readonly credentials: Credentials }): ReactNode {
  const { own } = usePeopleWords()
  const queries = useQueryClient()
  const keep = useKept()
  const [setting, setSetting] = useState(false)
  // Asking for the secret of the app needs a fresh sign-in; the dialog opens when there is one.
  const begin = useConfirmed(
    () => client.totpSetup(),
    () => setSetting(true),
  )
  const remove = useConfirmed(() => client.removePassword(), keep)
  const { password } = credentials
  return (
    <section className={styles.card} aria-labelledby="own-password">
      <h2 id="own-password">{own.password}</h2>
      <p className={styles.text}>{password === null ? own.passwordNone : own.passwordIs(password.recoveryCodes)}</p>
      <TroubleBox error={begin.work.error ?? remove.work.error} />
      <div className={styles.acts}>
        <Button variant="default" loading={begin.work.isPending} onClick={() => begin.work.mutate(undefined)}>
          {password === null ? own.setPassword : own.replacePassword}
        </Button>
        {password !== null && (
          <Button variant="subtle" color="red" loading={remove.work.isPending} onClick={() => remove.work.mutate(undefined)}>
            {own.removePassword}
          </Button>
        )}
      </div>
      {setting && begin.work.data !== undefined && (
        <Dialog title={password === null ? own.setPassword : own.replacePassword} close={() => setSetting(false)}>
          <PasswordForm
            account={me.person?.account ?? ''}
            setup={async () => begin.work.data!}
            set={(request) => client.setPassword(request)}
            done={() => {
              setSetting(false)
              void queries.invalidateQueries({ queryKey: peopleKeys.credentials })
            }}
          />
        </Dialog>
      )}
      {begin.asking}
      {remove.asking}
    </section>
  )
}
