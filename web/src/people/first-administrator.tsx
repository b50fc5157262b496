// Whoever runs the site makes an account for themselves: an invitation like any other, used at once.
import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { Dialog } from '../app/dialog.tsx'
import { client } from '../site/client.ts'
import { openInvitation } from '../site/session.ts'
import { useWords } from '../words/words.tsx'
import dialogs from '../files/dialogs.module.css'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

export function FirstAdministrator({ close }: { readonly close: () => void }): ReactNode {
  const words = useWords()
  const people = usePeopleWords()
  const [name, setName] = useState('')
  const [account, setAccount] = useState('')
  const begin = useMutation({
    mutationFn: async () => {
      // Somebody who began before and did not finish goes on.
      const known = (await client.people()).people.find((one) => one.state === 'invited' && one.account === account.trim().toLowerCase())
      if (known === undefined) return (await client.invite({ name, account, roles: ['administrator'] })).invitation
      await client.changeRoles(known.id, { roles: [...new Set([...known.roles, 'administrator' as const])] })
      return client.renew(known.id)
    },
    onSuccess: ({ token }) => openInvitation(token),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    begin.mutate()
  }
  return (
    <Dialog title={people.first.title} close={close}>
      <form className={styles.form} onSubmit={submit}>
        <p className={styles.text}>{people.first.text}</p>
        <NameFields name={name} setName={setName} account={account} setAccount={setAccount} />
        <TroubleBox error={begin.error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close}>
            {words.app.cancel}
          </Button>
          <Button type="submit" loading={begin.isPending} disabled={name.trim() === '' || account.trim() === ''}>
            {people.first.go}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

export function NameFields(fields: {
  readonly name: string
  readonly setName: (name: string) => void
  readonly account: string
  readonly setAccount: (account: string) => void
}): ReactNode {
  const people = usePeopleWords()
  return (
    <>
      <TextInput
        label={people.name}
        description={people.nameText}
        value={fields.name}
        onChange={(event) => fields.setName(event.currentTarget.value)}
        maxLength={100}
        autoComplete="off"
        required
        data-autofocus
      />
      <TextInput
        label={people.account}
        description={people.accountText}
        value={fields.account}
        onChange={(event) => fields.setAccount(event.currentTarget.value)}
        maxLength={100}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
    </>
  )
}
