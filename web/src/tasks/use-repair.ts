// The one repair of the vault: start it, follow it.
import type { Task } from '#contract'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { client } from '../site/client.ts'
import { noteTask, useTasks } from '../site/queries.ts'

interface Repair {
  readonly running: Task | undefined
  readonly starting: boolean
  readonly error: unknown
  readonly start: () => void
}

export function useRepair(): Repair {
  const queries = useQueryClient()
  const running = useTasks().find((task) => task.kind === 'repair' && task.state === 'running')
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => client.repair({}),
    onSuccess: (task) => noteTask(queries, task),
  })
  return { running, starting: isPending, error, start: () => mutate() }
}
