// Work that needs a sign-in of just now: when the site says so, the person signs in once more, and it is done then.
import { isFailure } from '#base'
import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { peopleKeys, useMe } from './queries.ts'
import { SignInForm } from './sign-in-form.tsx'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

export interface Confirmed<T, V> {
  readonly work: UseMutationResult<T, Error, V>
  /** The dialog that asks, while it asks. */
  readonly asking: ReactNode
}

export function useConfirmed<T, V>(run: (value: V) => Promise<T>, done?: (result: T, value: V) => void): Confirmed<T, V> {
  const queries = useQueryClient()
  const [waiting, setWaiting] = useState<{ readonly value: V } | undefined>()
  const work = useMutation<T, Error, V>({
    mutationFn: run,
    onSuccess: (result, value) => done?.(result, value),
    onError: (error, value) => {
      if (isFailure(error, 'identity.fresh')) setWaiting({ value })
    },
  })
  const asking =
    waiting === undefined ? null : (
      <AskAgain
        close={() => setWaiting(undefined)}
        done={() => {
          setWaiting(undefined)
          void queries.invalidateQueries({ queryKey: peopleKeys.me })
          work.mutate(waiting.value)
        }}
      />
    )
  return { work, asking }
}

function AskAgain({ close, done }: { readonly close: () => void; readonly done: () => void }): ReactNode {
  const { again } = usePeopleWords()
  const me = useMe()
  return (
    <Dialog title={again.title} close={close}>
      <div className={styles.form}>
        <p className={styles.text}>{again.text}</p>
        {me.data !== undefined && <SignInForm me={me.data} done={done} />}
      </div>
    </Dialog>
  )
}
