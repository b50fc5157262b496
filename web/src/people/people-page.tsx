// Who may come in: people with their roles, invitations, leaving; and groups.
import type { Me, PersonView } from '#contract'
import { Button, Skeleton } from '@mantine/core'
import { IconUserPlus, IconUsers } from '@tabler/icons-react'
import { useEffect, useState, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { useSpeech, useWords } from '../words/words.tsx'
import { FirstAdministrator } from './first-administrator.tsx'
import { Groups } from './groups.tsx'
import { InviteDialog, LeaveDialog, RenewDialog, RolesDialog } from './person-dialogs.tsx'
import { manages, useMe, usePeople } from './queries.ts'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

type Deed = { readonly kind: 'invite' | 'first' } | { readonly kind: 'roles' | 'renew' | 'leave'; readonly person: PersonView }

export function PeoplePage(): ReactNode {
  const words = useWords()
  const people = usePeopleWords()
  const me = useMe()
  const mayManage = manages(me.data)
  const list = usePeople(mayManage)
  const [deed, setDeed] = useState<Deed | undefined>()
  const close = (): void => setDeed(undefined)
  useEffect(() => {
    document.title = `${people.title} · ${words.app.name}`
  }, [people, words])
  const alone = me.data?.administered === false
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>{people.title}</h1>
        {mayManage && !alone && (
          <Button leftSection={<IconUserPlus size={18} aria-hidden />} onClick={() => setDeed({ kind: 'invite' })}>
            {people.invite}
          </Button>
        )}
      </div>
      <TroubleBox error={me.error ?? list.error} retry={() => void list.refetch()} />
      {me.data === undefined && me.error === null && <Skeleton height={200} radius="lg" />}
      {alone && <Alone begin={() => setDeed({ kind: 'first' })} />}
      {me.data !== undefined && !alone && (
        <>
          <p className={styles.lead}>{people.lead}</p>
          {mayManage && list.data === undefined && list.error === null && <Skeleton height={200} radius="lg" />}
          {list.data !== undefined && (
            <section className={styles.card} aria-label={people.title}>
              <ul className={styles.rows}>
                {list.data.map((person) => (
                  <Row key={person.id} person={person} me={me.data} act={(kind) => setDeed({ kind, person })} />
                ))}
              </ul>
            </section>
          )}
          <Groups people={list.data ?? []} mayManage={mayManage} />
        </>
      )}
      {deed?.kind === 'first' && <FirstAdministrator close={close} />}
      {deed?.kind === 'invite' && <InviteDialog close={close} />}
      {deed?.kind === 'roles' && <RolesDialog person={deed.person} close={close} />}
      {deed?.kind === 'renew' && <RenewDialog person={deed.person} close={close} />}
      {deed?.kind === 'leave' && <LeaveDialog person={deed.person} close={close} />}
    </div>
  )
}

function Alone({ begin }: { readonly begin: () => void }): ReactNode {
  const { alone } = usePeopleWords()
  return (
    <section className={styles.card} aria-labelledby="alone">
      <h2 id="alone">
        <IconUsers size={20} aria-hidden /> {alone.title}
      </h2>
      <p className={styles.text}>{alone.text}</p>
      <div className={styles.acts}>
        <Button onClick={begin}>{alone.begin}</Button>
      </div>
      <p className={styles.small}>{alone.keep}</p>
    </section>
  )
}

function Row({
  person,
  me,
  act,
}: {
  readonly person: PersonView
  readonly me: Me
  readonly act: (kind: 'roles' | 'renew' | 'leave') => void
}): ReactNode {
  const { measures } = useSpeech()
  const people = usePeopleWords()
  const { name, account, state, roles, invited } = person
  const isMe = me.person?.id === person.id
  const said = roles.length === 0 ? people.noRole : roles.map((one) => people.roleNames[one]).join(', ')
  const open = state === 'active' ? undefined : invited === null ? people.invitedOver : people.invitedUntil(measures.date(invited))
  return (
    <li className={styles.row} data-testid="person" data-state={state}>
      <span className={state === 'left' ? `${styles.who} ${styles.gone}` : styles.who}>
        <strong>{name}</strong> {isMe && `(${people.you})`}
        <span className={styles.soft}>
          {account !== null && `${account} · `}
          {state === 'left' ? `${people.states.left} ${person.ended === null ? '' : measures.when(person.ended)}` : said}
          {state === 'invited' && ` · ${people.states.invited}, ${open}`}
          {state === 'active' && invited !== null && ` · ${people.invitedUntil(measures.date(invited))}`}
        </span>
      </span>
      {state !== 'left' && (
        <span className={styles.acts}>
          <Button size="xs" variant="default" onClick={() => act('roles')} aria-label={`${people.change}: ${name}`}>
            {people.change}
          </Button>
          <Button size="xs" variant="default" onClick={() => act('renew')} aria-label={`${people.newLink}: ${name}`}>
            {people.newLink}
          </Button>
          <Button size="xs" variant="subtle" color="red" onClick={() => act('leave')} aria-label={`${people.leave}: ${name}`}>
            {people.leave}
          </Button>
        </span>
      )}
    </li>
  )
}
