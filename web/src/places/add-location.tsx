// One more location for the vault; repair fills it.
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { noteDone, noteTroubleIn } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { PlaceFields } from '../setup/place-fields.tsx'
import { draftTroubles, emptyDraft, isFine, requestOf } from '../setup/place-form.ts'
import { client } from '../site/client.ts'
import { keys, noteTask } from '../site/queries.ts'
import { useWords } from '../words/words.tsx'
import styles from '../files/dialogs.module.css'

interface AddLocationProps {
  /** The x that it will have. */
  readonly number: number
  readonly close: () => void
}

export function AddLocation({ number, close }: AddLocationProps): ReactNode {
  const words = useWords()
  const queries = useQueryClient()
  const [draft, setDraft] = useState(emptyDraft)
  const [tried, setTried] = useState(false)
  const trouble = draftTroubles([draft], words)[0]!
  const add = useMutation({
    mutationFn: () => client.addLocation(requestOf(draft)),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: keys.status })
      noteDone(words.locations.added)
      // Files that are there already have nothing at the new location; repair deals it in.
      client
        .repair({})
        .then((task) => noteTask(queries, task))
        .catch(noteTroubleIn(words))
      close()
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (isFine(trouble)) add.mutate()
  }
  return (
    <Dialog title={words.locations.add} close={close}>
      <form className={styles.form} onSubmit={submit} noValidate>
        <p className={styles.text}>{words.locations.addText}</p>
        <PlaceFields number={number} draft={draft} trouble={tried ? trouble : {}} change={setDraft} />
        <TroubleBox error={add.error} />
        <div className={styles.buttons}>
          <Button variant="default" onClick={close}>
            {words.app.cancel}
          </Button>
          <Button type="submit" loading={add.isPending}>
            {words.locations.add}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
