// The sites that write to the vault: who they are, letting one in, taking one off the list, and alarms that wait for a person.
import type { Writer } from '#contract'
import { Button, Code, CopyButton, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { noteDone } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import form from '../files/dialogs.module.css'
import { client } from '../site/client.ts'
import { keys } from '../site/queries.ts'
import { useSpeech, useWords } from '../words/words.tsx'
import styles from './locations-page.module.css'

const KEY = ['writers'] as const

export function Writers(): ReactNode {
  const words = useWords()
  const queries = useQueryClient()
  const { data, error } = useQuery({ queryKey: KEY, queryFn: ({ signal }) => client.writers({ signal }) })
  const [dialog, setDialog] = useState<'add' | Writer | undefined>()
  const acknowledge = useMutation({
    mutationFn: (alarm: string) => client.acknowledge({ alarm }),
    onSuccess: (list) => {
      queries.setQueryData(KEY, list)
      void queries.invalidateQueries({ queryKey: keys.status })
    },
  })
  const active = data?.writers.filter(({ state }) => state === 'active') ?? []
  return (
    <section className={styles.block} aria-labelledby="writers">
      <h2 id="writers">{words.writers.title}</h2>
      <p className={styles.none}>{active.length > 1 ? words.writers.several : words.writers.alone}</p>
      <TroubleBox error={error ?? acknowledge.error} />
      {data?.alarms.map(({ id, text, next }) => (
        <div key={id} role="alert">
          <p lang="en">
            <strong>{words.locations.severity.alarm}:</strong> {text} {next}
          </p>
          <Button variant="default" size="xs" loading={acknowledge.isPending} onClick={() => acknowledge.mutate(id)}>
            {words.writers.acknowledge}
          </Button>
        </div>
      ))}
      <ul className={styles.messages}>
        {data?.writers.map((writer) => (
          <li key={writer.fingerprint}>
            <WriterLine writer={writer} />
            {writer.state === 'active' && writer.role === 'writer' && !writer.own && (
              <Button variant="subtle" color="red" size="compact-xs" onClick={() => setDialog(writer)}>
                {words.writers.remove(writer.name)}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Button variant="default" size="xs" onClick={() => setDialog('add')}>
        {words.writers.add}
      </Button>
      {dialog === 'add' && <AddWriter close={() => setDialog(undefined)} />}
      {dialog !== undefined && dialog !== 'add' && <RemoveWriter writer={dialog} close={() => setDialog(undefined)} />}
    </section>
  )
}

function WriterLine({ writer }: { readonly writer: Writer }): ReactNode {
  const { words, measures } = useSpeech()
  const name = writer.role === 'dealer' ? words.writers.dealer : writer.name
  const shown = `${writer.fingerprint.slice(0, 16)}…`
  return (
    <span>
      <strong>{name}</strong> {writer.own && `(${words.writers.own}) `}
      {writer.state === 'removed' && `– ${words.writers.removed} `}
      {writer.added !== null && `– ${measures.date(writer.added)} `}
      <CopyButton value={writer.fingerprint}>
        {({ copied, copy }) => (
          <Button variant="subtle" size="compact-xs" onClick={copy} aria-label={`${shown} ${words.writers.copy(name)}`}>
            <Code>{shown}</Code> {copied && words.writers.copied}
          </Button>
        )}
      </CopyButton>
    </span>
  )
}

function AddWriter({ close }: { readonly close: () => void }): ReactNode {
  const words = useWords()
  const queries = useQueryClient()
  const [line, setLine] = useState('')
  const [name, setName] = useState('')
  const add = useMutation({
    mutationFn: () => client.addWriter({ line: line.trim(), name: name.trim() }),
    onSuccess: (list) => {
      queries.setQueryData(KEY, list)
      void queries.invalidateQueries({ queryKey: keys.status })
      noteDone(words.writers.added(name.trim()))
      close()
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (line.trim() !== '' && name.trim() !== '') add.mutate()
  }
  return (
    <Dialog title={words.writers.add} close={close}>
      <form className={form.form} onSubmit={submit} noValidate>
        <p className={form.text}>{words.writers.addText}</p>
        <TextInput
          label={words.writers.name}
          value={name}
          maxLength={60}
          required
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        <Textarea
          label={words.writers.line}
          value={line}
          maxLength={10_000}
          rows={4}
          required
          onChange={(event) => setLine(event.currentTarget.value)}
        />
        <TroubleBox error={add.error} />
        <div className={form.buttons}>
          <Button variant="default" onClick={close}>
            {words.app.cancel}
          </Button>
          <Button type="submit" loading={add.isPending} disabled={line.trim() === '' || name.trim() === ''}>
            {words.writers.add}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function RemoveWriter({ writer, close }: { readonly writer: Writer; readonly close: () => void }): ReactNode {
  const words = useWords()
  const queries = useQueryClient()
  const remove = useMutation({
    mutationFn: () => client.removeWriter(writer.fingerprint),
    onSuccess: (list) => {
      queries.setQueryData(KEY, list)
      void queries.invalidateQueries({ queryKey: keys.status })
      close()
    },
  })
  return (
    <Dialog title={words.writers.remove(writer.name)} close={close}>
      <div className={form.form}>
        <p className={form.text}>{words.writers.removeText}</p>
        <TroubleBox error={remove.error} />
        <div className={form.buttons}>
          <Button variant="default" onClick={close} data-autofocus>
            {words.app.cancel}
          </Button>
          <Button color="red" onClick={() => remove.mutate()} loading={remove.isPending}>
            {words.writers.remove(writer.name)}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
