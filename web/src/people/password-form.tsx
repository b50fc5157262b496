// A password with its authenticator app: for an invitation, and for one's own account.
import type { PasswordRequest } from '#contract'
import { Button, PasswordInput, Skeleton, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useId, useState, type FormEvent, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { saveText } from '../drill/save-text.ts'
import { QrCode } from './qr.tsx'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

interface PasswordFormProps {
  readonly setup: () => Promise<{ readonly secret: string; readonly address: string; readonly setup: string }>
  readonly set: (request: PasswordRequest) => Promise<{ readonly recoveryCodes: readonly string[] }>
  /** For password managers. */
  readonly account: string
  readonly done: () => void
}

export function PasswordForm({ setup, set, account, done }: PasswordFormProps): ReactNode {
  const words = usePeopleWords().password
  const id = useId()
  const made = useQuery({
    queryKey: ['totp', id],
    queryFn: setup,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    retry: false,
  })
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const save = useMutation({ mutationFn: set, onError: () => setCode('') })
  if (save.data !== undefined) return <RecoveryCodes codes={save.data.recoveryCodes} done={done} />
  if (made.data === undefined)
    return made.error === null ? <Skeleton height={220} /> : <TroubleBox error={made.error} retry={() => void made.refetch()} />
  const { secret, address, setup: sealed } = made.data
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate({ password, setup: sealed, code })
  }
  return (
    <form className={styles.form} onSubmit={submit}>
      <input type="text" name="username" value={account} autoComplete="username" readOnly hidden />
      <PasswordInput
        label={words.password}
        description={words.passwordText}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        autoComplete="new-password"
        minLength={12}
        maxLength={200}
        required
      />
      <p className={styles.text}>{words.scan}</p>
      <QrCode text={address} label={words.picture} />
      <p className={styles.small}>{words.orType}</p>
      <code className={styles.secret} data-testid="totp-secret">
        {secret}
      </code>
      <TextInput
        label={words.code}
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        autoComplete="one-time-code"
        inputMode="numeric"
        maxLength={10}
        required
      />
      <TroubleBox error={save.error} />
      <Button type="submit" loading={save.isPending}>
        {words.set}
      </Button>
    </form>
  )
}

function RecoveryCodes({ codes, done }: { readonly codes: readonly string[]; readonly done: () => void }): ReactNode {
  const words = usePeopleWords().password
  return (
    <section className={styles.form} aria-labelledby="recovery-codes">
      <h2 id="recovery-codes">{words.codes}</h2>
      <p className={styles.text}>{words.codesText}</p>
      <ul className={styles.codes} data-testid="recovery-codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className={styles.acts}>
        <Button variant="default" onClick={() => saveText('quorate-recovery-codes.txt', 'text/plain', `${codes.join('\n')}\n`)}>
          {words.codesSave}
        </Button>
        <Button onClick={done}>{words.codesDone}</Button>
      </div>
    </section>
  )
}
