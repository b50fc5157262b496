// A location that is only thought of: its name and what is known of it, for the comparison.
import type { PlanCandidate } from '#contract'
import { Button, TextInput } from '@mantine/core'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import dialogs from '../files/dialogs.module.css'
import { TraitFields } from '../health/trait-fields.tsx'
import { draftOfTraits, traitsOf } from '../health/traits-form.ts'
import { useWords } from '../words/words.tsx'
import { usePlannerWords } from './words.ts'

interface ThoughtDialogProps {
  readonly taken: readonly string[]
  readonly add: (candidate: PlanCandidate) => void
  readonly close: () => void
}

export function ThoughtDialog({ taken, add, close }: ThoughtDialogProps): ReactNode {
  const { app } = useWords()
  const words = usePlannerWords()
  const [label, setLabel] = useState('')
  const [draft, setDraft] = useState(() => draftOfTraits({}))
  const [tried, setTried] = useState(false)
  const { traits, wrong } = traitsOf(draft)
  const name = label.trim()
  const trouble = name === '' ? words.thought.labelMissing : taken.includes(name) ? words.thought.labelTaken : undefined
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (wrong.length > 0 || trouble !== undefined) return
    add({ label: name, traits })
    close()
  }
  return (
    <Dialog title={words.thought.add} close={close}>
      <form className={dialogs.form} onSubmit={submit} noValidate>
        <p className={dialogs.text}>{words.thought.text}</p>
        <TextInput
          label={words.thought.label}
          value={label}
          error={tried ? trouble : undefined}
          maxLength={100}
          onChange={(event) => setLabel(event.currentTarget.value)}
          data-autofocus
        />
        <TraitFields draft={draft} wrong={tried ? wrong : []} change={setDraft} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close}>
            {app.cancel}
          </Button>
          <Button type="submit">{words.thought.compare}</Button>
        </div>
      </form>
    </Dialog>
  )
}
