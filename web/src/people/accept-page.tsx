// An invitation, opened by the one whom it is for: they choose how they sign in from now on.
import type { InvitationView, Me } from '#contract'
import { Button, Skeleton, TextInput } from '@mantine/core'
import { IconFingerprint } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { Stage } from '../app/stage.tsx'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useWords } from '../words/words.tsx'
import { makePasskey, passkeysKnown } from './passkey.ts'
import { PasswordForm } from './password-form.tsx'
import { PasskeysElsewhere } from './sign-in-form.tsx'
import { SignInTrouble } from './sign-in-trouble.tsx'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

interface AcceptPageProps {
  readonly token: string
  readonly me: Me
  readonly done: () => void
}

export function AcceptPage({ token, me, done }: AcceptPageProps): ReactNode {
  const words = useWords()
  const { accept, enter } = usePeopleWords()
  const looked = useQuery({
    queryKey: ['invitation', token],
    queryFn: ({ signal }) => client.lookAtInvitation({ token }, { signal }),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    retry: false,
  })
  useEffect(() => {
    document.title = `${enter.title} · ${words.app.name}`
  }, [enter, words])
  if (looked.data === undefined)
    return (
      <Stage>
        {looked.error === null ? (
          <Skeleton height={200} />
        ) : (
          <>
            <h1>{accept.over}</h1>
            <TroubleBox error={looked.error} />
            <Button variant="default" mt="md" onClick={done}>
              {accept.toSignIn}
            </Button>
          </>
        )}
      </Stage>
    )
  return (
    <Stage>
      <Choice token={token} me={me} invitation={looked.data} done={done} />
    </Stage>
  )
}

function Choice({ token, me, invitation, done }: AcceptPageProps & { readonly invitation: InvitationView }): ReactNode {
  const people = usePeopleWords()
  const { accept } = people
  const works = me.passkeys && passkeysKnown()
  const [password, setPassword] = useState(false)
  const [keyName, setKeyName] = useState(accept.keyDefault)
  const passkey = useMutation({
    mutationFn: async () => {
      const { options } = await client.invitationPasskeyOptions({ token })
      const response = await makePasskey(options)
      await client.acceptByPasskey({ token, response, name: keyName.trim() === '' ? accept.keyDefault : keyName })
    },
    onSuccess: done,
  })
  const house = useMutation({
    mutationFn: async () => location.assign((await client.providerBegin({ token })).address),
  })
  const { name, roles, renewal, account } = invitation
  return (
    <div className={styles.form}>
      <h1>{renewal ? accept.renewTitle(name) : accept.title(name)}</h1>
      <p className={styles.text}>{renewal ? accept.renewText : accept.text}</p>
      {roles.length > 0 && <p className={styles.text}>{accept.roles(roles.map((one) => people.roleNames[one]).join(', '))}</p>}
      <SignInTrouble error={passkey.error ?? house.error} />
      {!password &&
        (works ? (
          <>
            <TextInput label={accept.keyName} value={keyName} maxLength={100} onChange={(event) => setKeyName(event.currentTarget.value)} />
            <Button
              size="md"
              leftSection={<IconFingerprint size={20} aria-hidden />}
              loading={passkey.isPending}
              onClick={() => passkey.mutate()}
            >
              {accept.passkey}
            </Button>
            <p className={styles.small}>{accept.passkeyText}</p>
          </>
        ) : (
          <PasskeysElsewhere me={me} />
        ))}
      {!password && me.provider !== null && (
        <Button variant="default" loading={house.isPending || house.isSuccess} onClick={() => house.mutate()}>
          {accept.house(me.provider.name)}
        </Button>
      )}
      {password ? (
        <PasswordForm
          account={account}
          setup={() => client.invitationTotp({ token })}
          set={(request) => client.acceptByPassword({ ...request, token })}
          done={done}
        />
      ) : (
        <Button variant="subtle" onClick={() => setPassword(true)}>
          {accept.password}
        </Button>
      )}
    </div>
  )
}
