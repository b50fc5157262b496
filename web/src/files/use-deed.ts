// Carries a deed out: refreshes what changed, says that it is done.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { noteDone } from '../app/notices.ts'
import { keys } from '../site/queries.ts'

interface DeedRun<T> {
  readonly run: (input: T) => void
  readonly running: boolean
  readonly error: unknown
}

/** `act` answers the sentence to say. */
export function useDeed<T>(act: (input: T) => Promise<string>, done: () => void): DeedRun<T> {
  const queries = useQueryClient()
  const { mutate, isPending, error } = useMutation({
    mutationFn: act,
    onSuccess: (said) => {
      noteDone(said)
      done()
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: keys.lists })
      void queries.invalidateQueries({ queryKey: keys.files })
      void queries.invalidateQueries({ queryKey: keys.trash })
    },
  })
  return { run: mutate, running: isPending, error }
}
