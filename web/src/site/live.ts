// Keeps the cache in step with the site's events while the page is open.
import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { waysTo } from '../files/paths.ts'
import { followEvents } from './events.ts'
import { keys, noteTask } from './queries.ts'

/** A folder that fills with thousands of files is asked for at most this often. */
const LIST_PAUSE_MS = 1000

export function useLive(): void {
  const queries = useQueryClient()
  useEffect(() => {
    const changed = new Set<string>()
    let timer: ReturnType<typeof setTimeout> | undefined
    const refresh = (): void => {
      timer = undefined
      for (const path of changed) void queries.invalidateQueries({ queryKey: keys.list(path) })
      void queries.invalidateQueries({ queryKey: keys.files })
      changed.clear()
    }
    const stop = followEvents({
      connected: (again) => {
        if (again) void queries.invalidateQueries()
      },
      interrupted: () => void queries.invalidateQueries({ queryKey: keys.status }),
      event: (event) => {
        switch (event.kind) {
          case 'status': {
            const before = queries.getQueryData(keys.status)
            queries.setQueryData(keys.status, event.status)
            if (placesChanged(before, event.status)) {
              void queries.invalidateQueries({ queryKey: keys.lists })
              void queries.invalidateQueries({ queryKey: keys.files })
            }
            return
          }
          case 'task':
            if (event.task.state !== 'running' && (event.task.kind === 'remove' || event.task.kind === 'restore')) {
              void queries.invalidateQueries({ queryKey: keys.trash })
              void queries.invalidateQueries({ queryKey: keys.deletions })
              void queries.invalidateQueries({ queryKey: keys.lists })
            }
            return noteTask(queries, event.task)
          case 'files':
            // A first file makes the folders above it too.
            for (const way of waysTo(event.path)) changed.add(way)
            timer ??= setTimeout(refresh, LIST_PAUSE_MS)
            return
        }
      },
    })
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [queries])
}

/** True when some location changed its state or its losses: then what files show of their spread is stale. */
function placesChanged(before: unknown, after: unknown): boolean {
  const outline = (status: unknown): string => {
    const { locations } = (status ?? { locations: [] }) as {
      locations: { id: string; state: string; fragments: { lost: number; corrupt: number; pending: number } }[]
    }
    return locations.map(({ id, state, fragments: { lost, corrupt, pending } }) => [id, state, lost, corrupt, pending].join(':')).join(' ')
  }
  return outline(before) !== outline(after)
}
