// What an administrator does with a person: invite, other roles, a new link, and the end of everything.
import type { Invitation, PersonView, Role } from '#contract'
import { Button, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { noteDone } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useWords } from '../words/words.tsx'
import dialogs from '../files/dialogs.module.css'
import { useConfirmed } from './again.tsx'
import { NameFields } from './first-administrator.tsx'
import { InvitationLink } from './invitation-link.tsx'
import { peopleKeys } from './queries.ts'
import { RoleBoxes } from './role-boxes.tsx'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

interface PersonDialogProps {
  readonly person: PersonView
  readonly close: () => void
}

export function InviteDialog({ close }: { readonly close: () => void }): ReactNode {
  const words = useWords()
  const people = usePeopleWords()
  const refresh = useRefresh()
  const [name, setName] = useState('')
  const [account, setAccount] = useState('')
  const [mail, setMail] = useState('')
  const [roles, setRoles] = useState<readonly Role[]>(['clinician'])
  const { work, asking } = useConfirmed(
    () => client.invite({ name, account, roles: [...roles], ...(mail.trim() === '' ? {} : { mail }) }),
    refresh,
  )
  if (work.data !== undefined) return <LinkDialog name={work.data.person.name} invitation={work.data.invitation} close={close} />
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    work.mutate(undefined)
  }
  return (
    <Dialog title={people.invite} close={close}>
      <form className={styles.form} onSubmit={submit}>
        <p className={styles.text}>{people.inviteText}</p>
        <NameFields name={name} setName={setName} account={account} setAccount={setAccount} />
        <TextInput
          label={people.mail}
          type="email"
          value={mail}
          maxLength={254}
          autoComplete="off"
          onChange={(event) => setMail(event.currentTarget.value)}
        />
        <RoleBoxes chosen={roles} choose={setRoles} />
        <TroubleBox error={work.error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close}>
            {words.app.cancel}
          </Button>
          <Button type="submit" loading={work.isPending} disabled={name.trim() === '' || account.trim() === ''}>
            {people.makeLink}
          </Button>
        </div>
      </form>
      {asking}
    </Dialog>
  )
}

function LinkDialog({
  name,
  invitation,
  close,
}: {
  readonly name: string
  readonly invitation: Invitation
  readonly close: () => void
}): ReactNode {
  const people = usePeopleWords()
  return (
    <Dialog title={people.linkTitle(name)} close={close}>
      <InvitationLink invitation={invitation} name={name} close={close} />
    </Dialog>
  )
}

export function RenewDialog({ person, close }: PersonDialogProps): ReactNode {
  const words = useWords()
  const people = usePeopleWords()
  const refresh = useRefresh()
  const { work, asking } = useConfirmed(() => client.renew(person.id), refresh)
  if (work.data !== undefined) return <LinkDialog name={person.name} invitation={work.data} close={close} />
  return (
    <Dialog title={people.newLinkFor(person.name)} close={close}>
      <div className={styles.form}>
        <p className={styles.text}>{people.newLinkText}</p>
        <TroubleBox error={work.error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close} data-autofocus>
            {words.app.cancel}
          </Button>
          <Button loading={work.isPending} onClick={() => work.mutate(undefined)}>
            {people.makeLink}
          </Button>
        </div>
      </div>
      {asking}
    </Dialog>
  )
}

export function RolesDialog({ person, close }: PersonDialogProps): ReactNode {
  const words = useWords()
  const people = usePeopleWords()
  const refresh = useRefresh()
  const [roles, setRoles] = useState<readonly Role[]>(person.roles)
  const { work, asking } = useConfirmed(
    () => client.changeRoles(person.id, { roles }),
    () => {
      refresh()
      close()
    },
  )
  return (
    <Dialog title={people.changeRoles(person.name)} close={close}>
      <div className={styles.form}>
        <RoleBoxes chosen={roles} choose={setRoles} />
        <TroubleBox error={work.error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close}>
            {words.app.cancel}
          </Button>
          <Button loading={work.isPending} onClick={() => work.mutate(undefined)}>
            {people.save}
          </Button>
        </div>
      </div>
      {asking}
    </Dialog>
  )
}

export function LeaveDialog({ person, close }: PersonDialogProps): ReactNode {
  const words = useWords()
  const people = usePeopleWords()
  const refresh = useRefresh()
  const { work, asking } = useConfirmed(
    () => client.leave(person.id),
    () => {
      refresh()
      noteDone(people.left(person.name))
      close()
    },
  )
  const ends = [
    ...(person.sessions > 0 ? [people.leaveSessions(person.sessions)] : []),
    ...(person.passkeys > 0 ? [people.leavePasskeys(person.passkeys)] : []),
    ...(person.password ? [people.leavePassword] : []),
    ...(person.secrets > 0 ? [people.leaveSecrets(person.secrets)] : []),
    ...(person.groups.length > 0 ? [people.leaveGroups(person.groups.length)] : []),
    people.leaveRoles,
  ]
  return (
    <Dialog title={people.leaveTitle(person.name)} close={close}>
      <div className={styles.form}>
        <p className={styles.text}>{people.leaveText}</p>
        <ul className={styles.ends}>
          {ends.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
        <p className={styles.small}>{people.leaveNote}</p>
        <TroubleBox error={work.error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close} data-autofocus>
            {words.app.cancel}
          </Button>
          <Button color="red" loading={work.isPending} onClick={() => work.mutate(undefined)}>
            {people.leaveGo(person.name)}
          </Button>
        </div>
      </div>
      {asking}
    </Dialog>
  )
}

function useRefresh(): () => void {
  const queries = useQueryClient()
  return () => {
    void queries.invalidateQueries({ queryKey: peopleKeys.people })
    void queries.invalidateQueries({ queryKey: peopleKeys.groups })
    void queries.invalidateQueries({ queryKey: peopleKeys.me })
  }
}
