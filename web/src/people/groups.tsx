// Groups and who is in them.
import type { Group, PersonView } from '#contract'
import { ActionIcon, Button, CloseButton, NativeSelect, TextInput } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useWords } from '../words/words.tsx'
import dialogs from '../files/dialogs.module.css'
import { useConfirmed } from './again.tsx'
import { peopleKeys, useGroups } from './queries.ts'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

export function Groups({ people: list, mayManage }: { readonly people: readonly PersonView[]; readonly mayManage: boolean }): ReactNode {
  const people = usePeopleWords()
  const groups = useGroups()
  const [name, setName] = useState('')
  const refresh = useRefresh()
  const { work, asking } = useConfirmed(
    () => client.makeGroup({ name }),
    () => {
      setName('')
      refresh()
    },
  )
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    work.mutate(undefined)
  }
  return (
    <section className={styles.card} aria-labelledby="groups">
      <h2 id="groups">{people.groups}</h2>
      <p className={styles.small}>{groups.data?.length === 0 ? people.noGroups : people.groupsText}</p>
      <TroubleBox error={groups.error ?? work.error} />
      <ul className={styles.rows}>
        {groups.data?.map((group) => (
          <GroupRow key={group.id} group={group} people={list} mayManage={mayManage} />
        ))}
      </ul>
      {mayManage && (
        <form className={styles.line} onSubmit={submit}>
          <TextInput
            label={people.groupName}
            value={name}
            maxLength={100}
            autoComplete="off"
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" loading={work.isPending} disabled={name.trim() === ''}>
            {people.makeGroup}
          </Button>
        </form>
      )}
      {asking}
    </section>
  )
}

function GroupRow({
  group,
  people: list,
  mayManage,
}: {
  readonly group: Group
  readonly people: readonly PersonView[]
  readonly mayManage: boolean
}): ReactNode {
  const people = usePeopleWords()
  const refresh = useRefresh()
  const [adding, setAdding] = useState('')
  const [removing, setRemoving] = useState(false)
  const { work, asking } = useConfirmed(
    ({ person, member }: { readonly person: string; readonly member: boolean }) =>
      member ? client.addMember(group.id, person) : client.removeMember(group.id, person),
    () => {
      setAdding('')
      refresh()
    },
  )
  const nameOf = (id: string): string => list.find((person) => person.id === id)?.name ?? id.slice(0, 8)
  const others = list.filter(({ id, state }) => state !== 'left' && !group.members.includes(id))
  return (
    <li className={styles.row} data-testid="group">
      <span className={styles.who}>
        <strong>{group.name}</strong> <span className={styles.soft}>{people.members(group.members.length)}</span>
        {mayManage && group.members.length > 0 && (
          <span className={styles.chips}>
            {group.members.map((id) => (
              <span key={id} className={styles.chip}>
                {nameOf(id)}
                <CloseButton
                  size="xs"
                  aria-label={people.takeOut(nameOf(id), group.name)}
                  onClick={() => work.mutate({ person: id, member: false })}
                />
              </span>
            ))}
          </span>
        )}
        <TroubleBox error={work.error} />
      </span>
      {mayManage && (
        <span className={styles.acts}>
          <NativeSelect
            size="xs"
            aria-label={people.addTo(group.name)}
            value={adding}
            onChange={(event) => setAdding(event.currentTarget.value)}
            data={[{ value: '', label: '–' }, ...others.map(({ id, name }) => ({ value: id, label: name }))]}
          />
          <Button
            size="xs"
            variant="default"
            disabled={adding === ''}
            loading={work.isPending}
            onClick={() => work.mutate({ person: adding, member: true })}
          >
            {people.addMember}
          </Button>
          <ActionIcon variant="subtle" color="red" size="md" aria-label={people.removeGroup(group.name)} onClick={() => setRemoving(true)}>
            <IconTrash size={18} aria-hidden />
          </ActionIcon>
        </span>
      )}
      {removing && <RemoveGroup group={group} close={() => setRemoving(false)} done={refresh} />}
      {asking}
    </li>
  )
}

function RemoveGroup({ group, close, done }: { readonly group: Group; readonly close: () => void; readonly done: () => void }): ReactNode {
  const words = useWords()
  const people = usePeopleWords()
  const { work, asking } = useConfirmed(
    () => client.removeGroup(group.id),
    () => {
      close()
      done()
    },
  )
  return (
    <Dialog title={people.removeGroup(group.name)} close={close}>
      <div className={styles.form}>
        <p className={styles.text}>{people.removeGroupText}</p>
        <TroubleBox error={work.error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close} data-autofocus>
            {words.app.cancel}
          </Button>
          <Button color="red" loading={work.isPending} onClick={() => work.mutate(undefined)}>
            {people.removeGroup(group.name)}
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
    void queries.invalidateQueries({ queryKey: peopleKeys.groups })
    void queries.invalidateQueries({ queryKey: peopleKeys.people })
  }
}
