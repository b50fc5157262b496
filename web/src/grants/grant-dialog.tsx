// Who may open a file or folder: those it was given to, and giving it to somebody else.
import type { Candidates, Grant, GrantRequest, Right } from '#contract'
import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useDeferredValue, useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { noteDone } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import dialogs from '../files/dialogs.module.css'
import { nameOf } from '../files/paths.ts'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './grants.module.css'
import { useGrantWords } from './words.ts'

const RIGHTS = ['read', 'write', 'manage'] as const satisfies readonly Right[]

type Candidate = Candidates['candidates'][number]

export function GrantDialog({ path, close }: { readonly path: string; readonly close: () => void }): ReactNode {
  const { words: page } = useSpeech()
  const words = useGrantWords()
  const queries = useQueryClient()
  const key = ['grants', path]
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => client.grants({ path }, { signal }),
    staleTime: 0,
    gcTime: 0,
  })
  const {
    mutate,
    isPending,
    error: failed,
  } = useMutation({
    mutationFn: (request: GrantRequest & { readonly name: string }) => {
      const { name: _, ...body } = request
      return client.setGrant(body)
    },
    onSuccess: (list, { right, name }) => {
      queries.setQueryData(key, list)
      noteDone(right === null ? words.took(name) : words.gave(name))
    },
  })
  return (
    <Dialog title={words.title(path === '/' ? page.files.root : nameOf(path))} close={close}>
      <div className={dialogs.form}>
        <p className={dialogs.text}>{words.lead}</p>
        <TroubleBox error={error} retry={() => void refetch()} />
        <TroubleBox error={failed} />
        {data !== undefined && <Given path={path} grants={data.grants} busy={isPending} change={mutate} />}
        {data?.own === 'manage' && <Give path={path} busy={isPending} give={mutate} />}
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close}>
            {words.close}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

type Change = (request: GrantRequest & { readonly name: string }) => void

function Given({
  path,
  grants,
  busy,
  change,
}: {
  readonly path: string
  readonly grants: readonly Grant[]
  readonly busy: boolean
  readonly change: Change
}): ReactNode {
  const words = useGrantWords()
  const { measures, words: page } = useSpeech()
  if (grants.length === 0)
    return (
      <div className={styles.empty}>
        <strong>{words.nobody}</strong>
        <p>{words.none}</p>
      </div>
    )
  return (
    <section aria-label={words.given}>
      <h3 className={styles.heading}>{words.given}</h3>
      <ul className={styles.list}>
        {grants.map((grant) => {
          const name = grant.name ?? words.unknown
          const own = grant.path === path
          return (
            <li key={`${grant.path} ${grant.to.id}`} className={styles.row}>
              <span className={styles.name}>
                <strong>{name}</strong>
                <small>
                  {[
                    words[grant.to.kind],
                    ...(own ? [] : [words.inherited(grant.path === '/' ? page.files.root : grant.path)]),
                    ...(grant.until === null ? [] : [words.ends(measures.date(grant.until))]),
                  ].join(' · ')}
                </small>
              </span>
              {own ? (
                <>
                  <NativeSelect
                    aria-label={words.rightOf(name)}
                    value={grant.right}
                    disabled={busy}
                    data={RIGHTS.map((right) => ({ value: right, label: words.rights[right] }))}
                    onChange={(event) =>
                      change({ path, to: grant.to, right: event.currentTarget.value as Right, until: grant.until, name })
                    }
                  />
                  <Button
                    variant="default"
                    size="sm"
                    disabled={busy}
                    aria-label={words.takeBackOf(name)}
                    onClick={() => change({ path, to: grant.to, right: null, until: null, name })}
                  >
                    {words.takeBack}
                  </Button>
                </>
              ) : (
                <span>{words.rights[grant.right]}</span>
              )}
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function Give({ path, busy, give }: { readonly path: string; readonly busy: boolean; readonly give: Change }): ReactNode {
  const words = useGrantWords()
  const [typed, setTyped] = useState('')
  const [chosen, setChosen] = useState<Candidate | undefined>()
  const [right, setRight] = useState<Right>('read')
  const [until, setUntil] = useState('')
  const text = useDeferredValue(typed.trim())
  const { data, error } = useQuery({
    queryKey: ['candidates', path, text],
    queryFn: ({ signal }) => client.candidates({ path, text }, { signal }),
    staleTime: 5000,
  })
  const found = data?.candidates ?? []
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (chosen === undefined) return
    give({ path, to: chosen.to, right, until: until === '' ? null : new Date(`${until}T00:00:00`).toISOString(), name: chosen.name })
    setChosen(undefined)
    setTyped('')
  }
  return (
    <form className={styles.give} onSubmit={submit} aria-label={words.add}>
      <h3 className={styles.heading}>{words.add}</h3>
      <TroubleBox error={error} />
      <TextInput label={words.who} description={words.whoHint} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
      <div role="radiogroup" aria-label={words.who} className={styles.found}>
        {found.map((one) => (
          <label key={`${one.to.kind} ${one.to.id}`} className={styles.candidate}>
            <input type="radio" name="grantee" checked={chosen?.to.id === one.to.id} onChange={() => setChosen(one)} />
            <span>{one.name}</span>
            <small>{words[one.to.kind]}</small>
          </label>
        ))}
        {data !== undefined && found.length === 0 && <p className={dialogs.none}>{words.noMatch}</p>}
      </div>
      <div className={styles.terms}>
        <NativeSelect
          label={words.what}
          description={words.explained[right]}
          value={right}
          data={RIGHTS.map((one) => ({ value: one, label: words.rights[one] }))}
          onChange={(event) => setRight(event.currentTarget.value as Right)}
        />
        <TextInput
          type="date"
          label={words.until}
          description={words.untilHint}
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
      </div>
      <div className={dialogs.buttons}>
        <Button type="submit" loading={busy} disabled={chosen === undefined}>
          {words.give}
        </Button>
      </div>
    </form>
  )
}
