// What the page knows of the site, cached; events keep it fresh, polling is the safety behind them.
import { isFailure } from '#base'
import type { Site, Status, Task } from '#contract'
import { QueryClient, useQuery, type UseQueryResult } from '@tanstack/react-query'
import { client } from './client.ts'
import { currentReach, useReach } from './reach.ts'

const POLL_MS = 10_000
const POLL_STOPPED_MS = 2000
const TASKS_KEPT = 50

export const keys = {
  site: ['site'],
  status: ['status'],
  tasks: ['tasks'],
  lists: ['list'],
  list: (path: string) => ['list', path],
  file: (path: string) => ['file', path],
  files: ['file'],
  trash: ['trash'],
  deletions: ['deletions'],
} as const

/** The site may run on this very machine, so being offline says nothing: every call is tried. */
export function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: 'always',
        staleTime: 5000,
        retry: (count, error) => isFailure(error) && error.retry && count < 2,
        refetchOnWindowFocus: true,
      },
      mutations: { networkMode: 'always', retry: false },
    },
  })
}

export function useSite(): UseQueryResult<Site> {
  return useQuery({
    queryKey: keys.site,
    queryFn: ({ signal }) => client.site({ signal }),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchInterval: () => (currentReach() === 'stopped' ? POLL_STOPPED_MS : false),
  })
}

export function useStatus(): UseQueryResult<Status> {
  const reach = useReach()
  return useQuery({
    queryKey: keys.status,
    queryFn: ({ signal }) => client.status({}, { signal }),
    refetchInterval: reach === 'stopped' ? POLL_STOPPED_MS : POLL_MS,
  })
}

/** Newest first. */
export function useTasks(): readonly Task[] {
  const { data } = useQuery({
    queryKey: keys.tasks,
    queryFn: async ({ signal }) => (await client.tasks({ signal })).tasks.toSorted(newestFirst),
    refetchInterval: ({ state }) => (state.data?.some((task) => task.state === 'running') ? 2000 : false),
  })
  return data ?? []
}

/** Puts one task into the list that the page knows. */
export function noteTask(queries: QueryClient, task: Task): void {
  queries.setQueryData<readonly Task[]>(keys.tasks, (known = []) =>
    [task, ...known.filter((other) => other.id !== task.id)].toSorted(newestFirst).slice(0, TASKS_KEPT),
  )
}

function newestFirst(a: Task, b: Task): number {
  return a.started < b.started ? 1 : a.started > b.started ? -1 : 0
}
