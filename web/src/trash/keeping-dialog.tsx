// How long old versions and the trash of a folder are kept, and until when nothing in it may be removed.
import type { KeepingRule, KeepingView } from '#contract'
import { Button, Checkbox, NumberInput, Skeleton, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox } from '../app/trouble-box.tsx'
import dialogs from '../files/dialogs.module.css'
import { nameOf } from '../files/paths.ts'
import { useDeed } from '../files/use-deed.ts'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'

const DAYS_MAX = 36_500
const VERSIONS_MAX = 10_000

interface KeepingProps {
  readonly path: string
  readonly close: () => void
  readonly done: () => void
}

export function KeepingDialog({ path, close, done }: KeepingProps): ReactNode {
  const { words } = useSpeech()
  const { data, error, refetch } = useQuery({
    queryKey: ['keeping', path],
    queryFn: ({ signal }) => client.keeping({ path }, { signal }),
    staleTime: 0,
    gcTime: 0,
  })
  return (
    <Dialog title={words.trash.keepTitle(path === '/' ? words.files.root : nameOf(path))} close={close}>
      <TroubleBox error={error} retry={() => void refetch()} />
      {data === undefined && error === null && <Skeleton height={220} />}
      {data !== undefined && <Form view={data} close={close} done={done} />}
    </Dialog>
  )
}

function Form({ view, close, done }: { readonly view: KeepingView; readonly close: () => void; readonly done: () => void }): ReactNode {
  const { words, measures } = useSpeech()
  const { own, effective, path } = view
  const [rule, setRule] = useState<KeepingRule>(own ?? { versionsDays: null, versionsMin: null, trashDays: null, holdUntil: null })
  const [release, setRelease] = useState(false)
  const { run, running, error } = useDeed(async () => {
    await client.setKeeping({ path, ...rule, holdUntil: release ? null : rule.holdUntil, release })
    return words.trash.keepDone
  }, done)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    run(undefined)
  }
  const field = (name: 'versionsDays' | 'versionsMin' | 'trashDays', max: number, min = 0): ReactNode => (
    <NumberInput
      label={words.trash.keepFields[name]}
      placeholder={words.trash.inherited(effective[name])}
      value={rule[name] ?? ''}
      onChange={(value) => setRule({ ...rule, [name]: typeof value === 'number' ? value : null })}
      min={min}
      max={max}
      allowDecimal={false}
      clampBehavior="strict"
    />
  )
  const held = own?.holdUntil ?? null
  return (
    <form className={dialogs.form} onSubmit={submit}>
      <p className={dialogs.text}>{words.trash.keepText}</p>
      {field('versionsDays', DAYS_MAX)}
      {field('versionsMin', VERSIONS_MAX, 1)}
      {field('trashDays', DAYS_MAX)}
      <TextInput
        type="date"
        label={words.trash.hold}
        description={effective.holdUntil === null ? words.trash.holdText : words.trash.heldUntil(measures.date(effective.holdUntil))}
        value={rule.holdUntil?.slice(0, 10) ?? ''}
        disabled={release}
        onChange={(event) => {
          const day = event.currentTarget.value
          setRule({ ...rule, holdUntil: day === '' ? null : new Date(`${day}T00:00:00Z`).toISOString() })
        }}
      />
      {held !== null && (
        <Checkbox label={words.trash.release} checked={release} onChange={(event) => setRelease(event.currentTarget.checked)} />
      )}
      <TroubleBox error={error} />
      <div className={dialogs.buttons}>
        <Button variant="default" onClick={close}>
          {words.app.cancel}
        </Button>
        <Button type="submit" loading={running}>
          {words.trash.save}
        </Button>
      </div>
    </form>
  )
}
