// A folder, page by page: more is fetched as it is needed, all of it while a filter or an order wants the whole.
import type { Entry, Listing } from '#contract'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { client } from '../site/client.ts'
import { keys } from '../site/queries.ts'

const PAGE = 500
/** A folder is held in memory up to here; beyond, the page asks for a narrower folder by showing what it has. */
const ENTRIES_MAX = 100_000

export interface FolderListing {
  readonly entries: readonly Entry[]
  readonly complete: boolean
  readonly pending: boolean
  readonly fetchingMore: boolean
  readonly error: unknown
  readonly more: () => void
  readonly again: () => void
}

export function useListing({ path, whole }: { readonly path: string; readonly whole: boolean }): FolderListing {
  const query = useInfiniteQuery({
    queryKey: keys.list(path),
    queryFn: ({ pageParam, signal }): Promise<Listing> =>
      client.list({ path, limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: 2000,
  })
  const entries = useMemo(() => (query.data?.pages ?? []).flatMap((page) => page.entries), [query.data])
  const { hasNextPage, isFetching, fetchNextPage } = query
  const mayFetch = hasNextPage && !isFetching && entries.length < ENTRIES_MAX
  const failed = query.isError
  useEffect(() => {
    if (whole && mayFetch && !failed) void fetchNextPage()
  }, [whole, mayFetch, failed, fetchNextPage])
  return {
    entries,
    complete: query.data !== undefined && !hasNextPage,
    pending: query.isPending,
    fetchingMore: query.isFetchingNextPage,
    error: query.error,
    more: () => {
      if (mayFetch) void fetchNextPage()
    },
    again: () => void query.refetch(),
  }
}
