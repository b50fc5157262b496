// The one repair of the vault: start it, follow it.
import type { Task } from '#contract'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { client } from '../site/client.ts'
import { noteTask, useTasks } from '../site/queries.ts'

interface Repair {
  readonly running: Task | undefined
  readonly starting: boolean
  /** Why it could not start. */
  readonly error: unknown
  /** The one that was started here, when it has ended. */
  readonly ended: Task | undefined
  readonly start: () => void
}

export function useRepair(): Repair {
  const queries = useQueryClient()
  const repairs = useTasks().filter((task) => task.kind === 'repair')
  const { mutate, isPending, error, data } = useMutation({
    mutationFn: () => client.repair({}),
    onSuccess: (task) => noteTask(queries, task),
  })
  return {
    running: repairs.find((task) => task.state === 'running'),
    starting: isPending,
    error,
    ended: repairs.find((task) => task.id === data?.id && task.state !== 'running'),
    start: () => mutate(),
  }
}
