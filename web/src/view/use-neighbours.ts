// The files before and after one in its folder.
import { useMemo } from 'react'
import { parentOf } from '../files/paths.ts'
import { useListing } from '../files/use-listing.ts'

export interface Neighbours {
  readonly previous: string | undefined
  readonly next: string | undefined
  /** From 1; 0 while it is not found yet. */
  readonly place: number
  readonly count: number
  readonly complete: boolean
}

export function useNeighbours(path: string): Neighbours {
  const folder = parentOf(path)
  const { entries, complete } = useListing({ path: folder, whole: false })
  const files = useMemo(() => entries.filter((entry) => entry.kind === 'file'), [entries])
  const at = files.findIndex((entry) => entry.path === path)
  // Fetches on until the file and the one behind it are there.
  useListing({ path: folder, whole: !complete && (at === -1 || at === files.length - 1) })
  return {
    previous: at > 0 ? files[at - 1]!.path : undefined,
    next: at === -1 ? undefined : files[at + 1]?.path,
    place: at + 1,
    count: files.length,
    complete,
  }
}
