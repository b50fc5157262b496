// Brings a vault back from its locations, on a site that has none.
import { Button, PasswordInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useState, type FormEvent, type ReactNode } from 'react'
import { TroubleBox, TroubleText } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { troubleOfProblem } from '../site/trouble.ts'
import { TaskProgress } from '../tasks/task-progress.tsx'
import { useWords } from '../words/words.tsx'
import { PlaceFields } from './place-fields.tsx'
import { draftTroubles, emptyDraft, isFine, requestOf, type PlaceDraft } from './place-form.ts'
import styles from './setup.module.css'
import { useFollowed } from './use-followed.ts'

export function RecoverForm({ back, done }: { readonly back: () => void; readonly done: () => void }): ReactNode {
  const words = useWords()
  const [drafts, setDrafts] = useState<readonly PlaceDraft[]>(() => [emptyDraft(), emptyDraft(), emptyDraft()])
  const [passphrase, setPassphrase] = useState('')
  const [tried, setTried] = useState(false)
  const troubles = draftTroubles(drafts, words)
  const recover = useMutation({
    mutationFn: () => client.recover({ locations: drafts.map(requestOf), ...(passphrase === '' ? {} : { passphrase }) }),
  })
  const task = useFollowed(recover.data)
  useEffect(() => {
    if (task?.state === 'done') done()
  }, [task?.state, done])
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (troubles.every(isFine)) recover.mutate()
  }
  if (task?.state === 'running') return <TaskProgress task={task} />
  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      {drafts.map((draft, index) => (
        <PlaceFields
          key={draft.id}
          number={index + 1}
          draft={draft}
          trouble={tried ? troubles[index]! : {}}
          change={(next) => setDrafts(drafts.map((one) => (one.id === next.id ? next : one)))}
          remove={drafts.length > 2 ? () => setDrafts(drafts.filter((one) => one.id !== draft.id)) : undefined}
        />
      ))}
      <Button
        className={styles.add}
        variant="subtle"
        leftSection={<IconPlus size={18} aria-hidden />}
        onClick={() => setDrafts([...drafts, emptyDraft()])}
      >
        {words.setup.add}
      </Button>
      <PasswordInput
        label={words.recover.passphrase}
        value={passphrase}
        onChange={(event) => setPassphrase(event.currentTarget.value)}
        autoComplete="current-password"
      />
      <TroubleBox error={recover.error} />
      {task?.problem !== null && task?.problem !== undefined && (
        <div className={styles.warn} role="alert">
          <TroubleText trouble={troubleOfProblem(task.problem, words)} />
        </div>
      )}
      <div className={styles.buttons}>
        <Button type="submit" loading={recover.isPending}>
          {words.recover.start}
        </Button>
        <Button variant="subtle" onClick={back}>
          {words.recover.back}
        </Button>
      </div>
    </form>
  )
}
