// What people say of one location: who runs it, where, and what it costs.
import type { MeasuredLocation } from '#contract'
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { noteDone } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import dialogs from '../files/dialogs.module.css'
import { client } from '../site/client.ts'
import { useWords } from '../words/words.tsx'
import { TraitFields } from './trait-fields.tsx'
import { draftOfTraits, traitsOf } from './traits-form.ts'
import { useHealthWords } from './words.ts'

export function TraitsDialog({ location, close }: { readonly location: MeasuredLocation; readonly close: () => void }): ReactNode {
  const { app } = useWords()
  const words = useHealthWords()
  const queries = useQueryClient()
  const [draft, setDraft] = useState(() => draftOfTraits(location.traits))
  const [tried, setTried] = useState(false)
  const { traits, wrong } = traitsOf(draft)
  const save = useMutation({
    mutationFn: () => client.setTraits({ location: location.id, traits }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['health'] })
      void queries.invalidateQueries({ queryKey: ['plan'] })
      noteDone(words.saved)
      close()
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (wrong.length === 0) save.mutate()
  }
  return (
    <Dialog title={words.describeOf(location.label)} close={close}>
      <form className={dialogs.form} onSubmit={submit} noValidate>
        <p className={dialogs.text}>{words.describeText}</p>
        <TraitFields draft={draft} wrong={tried ? wrong : []} change={setDraft} />
        <TroubleBox error={save.error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close}>
            {app.cancel}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {words.save}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
