// A site on a new machine from a recovery kit: the kit, what its officers open, where the locations are now.
import type { KitFacts, KitSecrets, RestoreRequest } from '#contract'
import { Button, NativeSelect, PasswordInput, TextInput } from '@mantine/core'
import { IconFileZip, IconFolder, IconKey } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState, type ChangeEvent, type FormEvent, type ReactNode } from 'react'
import { TroubleBox, TroubleText } from '../app/trouble-box.tsx'
import styles from '../setup/setup.module.css'
import { useFollowed } from '../setup/use-followed.ts'
import { client } from '../site/client.ts'
import { troubleOfProblem } from '../site/trouble.ts'
import { TaskProgress } from '../tasks/task-progress.tsx'
import { useSpeech } from '../words/words.tsx'
import { openSecrets, readKit, type OpenedKit } from './kit-file.ts'
import own from './restore.module.css'
import { useRestoreWords } from './words.ts'

type Where = 'kit' | 'elsewhere' | 'gone'
interface Spot {
  readonly where: Where
  readonly spec: string
}

export function RestoreForm({ back, done }: { readonly back: () => void; readonly done: () => void }): ReactNode {
  const { words: all } = useSpeech()
  const words = useRestoreWords()
  const [kit, setKit] = useState<OpenedKit | undefined>()
  const read = useMutation({ mutationFn: (files: readonly File[]) => readKit(files), onSuccess: setKit })
  const zip = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const take = (event: ChangeEvent<HTMLInputElement>): void => {
    const files = [...(event.currentTarget.files ?? [])]
    event.currentTarget.value = ''
    if (files.length > 0) read.mutate(files)
  }
  return (
    <div className={styles.form}>
      <div className={styles.buttons}>
        <Button variant="default" leftSection={<IconFileZip size={18} aria-hidden />} onClick={() => zip.current?.click()}>
          {words.zip}
        </Button>
        <Button variant="default" leftSection={<IconFolder size={18} aria-hidden />} onClick={() => folder.current?.click()}>
          {words.folder}
        </Button>
        <input ref={zip} type="file" accept=".zip,application/zip" hidden onChange={take} data-testid="kit-zip" />
        <input ref={folder} type="file" multiple hidden onChange={take} data-testid="kit-folder" {...{ webkitdirectory: '' }} />
        {kit === undefined && (
          <Button variant="subtle" onClick={back}>
            {all.recover.back}
          </Button>
        )}
      </div>
      <div role="status">{read.isPending && words.reading}</div>
      <TroubleBox error={read.error} />
      {kit !== undefined && <FromKit key={`${kit.facts.vault.id} ${kit.facts.made}`} kit={kit} back={back} done={done} />}
    </div>
  )
}

function FromKit({ kit, back, done }: { readonly kit: OpenedKit; readonly back: () => void; readonly done: () => void }): ReactNode {
  const { words: all } = useSpeech()
  const words = useRestoreWords()
  const { facts } = kit
  const [secrets, setSecrets] = useState<KitSecrets | undefined>()
  const [spots, setSpots] = useState<ReadonlyMap<string, Spot>>(new Map())
  const [passphrase, setPassphrase] = useState('')
  const [tried, setTried] = useState(false)
  const spotOf = (location: string): Spot => spots.get(location) ?? { where: 'kit', spec: '' }
  const there = facts.locations.filter(({ location }) => spotOf(location).where !== 'gone').length
  const unsaid = facts.locations.some(({ location }) => spotOf(location).where === 'elsewhere' && spotOf(location).spec.trim() === '')
  const restore = useMutation({ mutationFn: (request: RestoreRequest) => client.restore(request) })
  const task = useFollowed(restore.data)
  useEffect(() => {
    if (task?.state === 'done') done()
  }, [task?.state, done])
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (unsaid || there < facts.vault.threshold) return
    const { files: _files, sealed: _sealed, ...bare } = facts
    restore.mutate({
      kit: bare,
      places: facts.locations.flatMap(({ location }) => {
        const { where, spec } = spotOf(location)
        return where === 'kit' ? [] : [{ location, spec: where === 'gone' ? null : placeSpec(spec) }]
      }),
      ...(secrets === undefined ? {} : { secrets }),
      ...(passphrase === '' ? {} : { passphrase }),
    })
  }
  if (task?.state === 'running') return <TaskProgress task={task} />
  return (
    <form className={styles.form} onSubmit={submit} noValidate data-testid="restore">
      <Facts facts={facts} />
      {facts.sealed !== null && <Secrets kit={kit} opened={secrets !== undefined} take={setSecrets} />}
      <fieldset className={styles.group}>
        <legend>{words.places}</legend>
        {facts.locations.map(({ location, label, place }) => {
          const spot = spotOf(location)
          const set = (change: Partial<Spot>): void => setSpots(new Map(spots).set(location, { ...spot, ...change }))
          return (
            <div key={location} className={own.spot}>
              <strong>{label}</strong>
              <NativeSelect
                size="xs"
                aria-label={words.where(label)}
                value={spot.where}
                onChange={({ currentTarget: { value } }) => set({ where: value === 'gone' || value === 'elsewhere' ? value : 'kit' })}
                data={[
                  { value: 'kit', label: words.asInKit },
                  { value: 'elsewhere', label: words.elsewhere },
                  { value: 'gone', label: words.gone },
                ]}
              />
              {spot.where === 'kit' && <span className={own.place}>{place}</span>}
              {spot.where === 'elsewhere' && (
                <TextInput
                  className={own.wide}
                  aria-label={words.place(label)}
                  placeholder="folder:/mnt/a"
                  value={spot.spec}
                  error={tried && spot.spec.trim() === '' ? words.placeMissing : undefined}
                  autoComplete="off"
                  spellCheck={false}
                  onChange={(event) => set({ spec: event.currentTarget.value })}
                />
              )}
            </div>
          )
        })}
        {there < facts.vault.threshold && (
          <p className={styles.warn} role="alert">
            {words.few(facts.vault.threshold)}
          </p>
        )}
      </fieldset>
      <PasswordInput
        label={words.passphrase}
        value={passphrase}
        onChange={(event) => setPassphrase(event.currentTarget.value)}
        autoComplete="current-password"
      />
      <TroubleBox error={restore.error} />
      {task?.problem !== null && task?.problem !== undefined && (
        <div className={styles.warn} role="alert">
          <TroubleText trouble={troubleOfProblem(task.problem, all)} />
        </div>
      )}
      <div className={styles.buttons}>
        <Button type="submit" loading={restore.isPending}>
          {words.start}
        </Button>
        <Button variant="subtle" onClick={back}>
          {all.recover.back}
        </Button>
      </div>
    </form>
  )
}

function Facts({ facts }: { readonly facts: KitFacts }): ReactNode {
  const { measures } = useSpeech()
  const words = useRestoreWords()
  const { vault, dealer, made } = facts
  return (
    <section className={own.facts}>
      <strong>{vault.name}</strong>
      <span>
        {words.made(measures.date(made))}. {words.rule(vault.threshold, vault.count)}
      </span>
      <span>
        {words.compare}: <span className="mono">{dealer.fingerprint.match(/.{1,4}/g)?.join(' ')}</span>
      </span>
    </section>
  )
}

interface SecretsProps {
  readonly kit: OpenedKit
  readonly opened: boolean
  readonly take: (secrets: KitSecrets) => void
}

function Secrets({ kit, opened, take }: SecretsProps): ReactNode {
  const words = useRestoreWords()
  const input = useRef<HTMLInputElement>(null)
  const open = useMutation({
    mutationFn: async (files: readonly File[]) => openSecrets(kit, (await Promise.all(files.map((file) => file.text()))).join('\n')),
    onSuccess: take,
  })
  const officers = kit.facts.sealed?.officers.map(({ name }) => name).join(', ') ?? ''
  return (
    <div className={styles.group} role="group" aria-label={words.identity}>
      <span className={styles.label}>{words.identity}</span>
      <p className={styles.hint}>{words.identityText(officers)}</p>
      <div className={styles.buttons}>
        <Button
          variant="default"
          leftSection={<IconKey size={18} aria-hidden />}
          loading={open.isPending}
          onClick={() => input.current?.click()}
        >
          {words.chooseIdentity}
        </Button>
        <span role="status">{opened && words.opened}</span>
      </div>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="identity"
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])]
          event.currentTarget.value = ''
          if (files.length > 0) open.mutate(files)
        }}
      />
      <TroubleBox error={open.error} />
    </div>
  )
}

/** A bare path is a folder. */
function placeSpec(typed: string): string {
  const spec = typed.trim()
  return /^[a-z0-9]+:/.test(spec) ? spec : `folder:${spec}`
}
