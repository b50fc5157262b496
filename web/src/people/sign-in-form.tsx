// Signing in: by passkey first, by password and app where there is none.
import type { Me } from '#contract'
import { Button, PasswordInput, TextInput } from '@mantine/core'
import { IconFingerprint } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useEffectEvent, useState, type FormEvent, type ReactNode } from 'react'
import { client } from '../site/client.ts'
import { takeProviderAnswer } from '../site/session.ts'
import { passkeysKnown, signInByPasskey } from './passkey.ts'
import { SignInTrouble } from './sign-in-trouble.tsx'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

export function SignInForm({ me, done }: { readonly me: Me; readonly done: () => void }): ReactNode {
  const { enter } = usePeopleWords()
  const [account, setAccount] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const passkey = useMutation({ mutationFn: signInByPasskey, onSuccess: done })
  const typed = useMutation({
    mutationFn: () => client.passwordSignIn({ account, password, code }),
    onSuccess: done,
    // A code counts once, whatever came of it.
    onError: () => setCode(''),
  })
  const house = useMutation({
    mutationFn: async () => location.assign((await client.providerBegin({})).address),
  })
  const returned = useMutation({ mutationFn: (query: string) => client.providerSignIn({ query }), onSuccess: done })
  const comeBack = useEffectEvent(() => {
    const query = takeProviderAnswer()
    if (query !== undefined) returned.mutate(query)
  })
  useEffect(() => comeBack(), [])
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    passkey.reset()
    typed.mutate()
  }
  const works = me.passkeys && passkeysKnown()
  return (
    <div className={styles.form}>
      <SignInTrouble error={passkey.error ?? typed.error ?? house.error ?? returned.error} />
      {works ? (
        <>
          <Button
            size="md"
            leftSection={<IconFingerprint size={20} aria-hidden />}
            loading={passkey.isPending}
            onClick={() => {
              typed.reset()
              passkey.mutate()
            }}
            data-autofocus
          >
            {enter.passkey}
          </Button>
          <p className={styles.small}>{enter.passkeyText}</p>
        </>
      ) : (
        <PasskeysElsewhere me={me} />
      )}
      {me.provider !== null && (
        <Button
          size="md"
          variant="default"
          loading={house.isPending || house.isSuccess || returned.isPending}
          onClick={() => house.mutate()}
        >
          {enter.house(me.provider.name)}
        </Button>
      )}
      <p className={styles.or}>{enter.or}</p>
      <form className={styles.form} onSubmit={submit}>
        <TextInput
          label={enter.account}
          value={account}
          onChange={(event) => setAccount(event.currentTarget.value)}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={200}
          required
        />
        <PasswordInput
          label={enter.password}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="current-password"
          maxLength={200}
          required
        />
        <TextInput
          label={enter.code}
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={40}
          required
        />
        <Button type="submit" variant="default" loading={typed.isPending}>
          {enter.go}
        </Button>
      </form>
    </div>
  )
}

/** Why no passkey is offered, and where it is. */
export function PasskeysElsewhere({ me }: { readonly me: Me }): ReactNode {
  const { enter } = usePeopleWords()
  const byName = `${location.protocol}//localhost${location.port === '' ? '' : `:${location.port}`}/`
  if (me.passkeys) return <p className={styles.note}>{enter.unsupported}</p>
  return (
    <p className={styles.note}>
      {enter.noPasskeys} <a href={`${byName}${location.hash}`}>{byName}</a>
    </p>
  )
}
