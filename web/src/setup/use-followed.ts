// A task of a site that has no vault yet, whose events would tell of it.
import type { Task } from '#contract'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { client } from '../site/client.ts'
import { noteTask } from '../site/queries.ts'

const POLL_MS = 700

/** Asks after it until it ends. */
export function useFollowed(started: Task | undefined): Task | undefined {
  const queries = useQueryClient()
  const { data } = useQuery({
    queryKey: ['recover', started?.id],
    queryFn: async () => {
      const task = await client.task(started!.id)
      noteTask(queries, task)
      return task
    },
    enabled: started !== undefined,
    ...(started === undefined ? {} : { initialData: started }),
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? POLL_MS : false),
  })
  return data
}
