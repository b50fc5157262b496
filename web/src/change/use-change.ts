// How far the vault is from its wanted shape, asked often while something is under way.
import type { ChangeStatus } from '#contract'
import { useQuery } from '@tanstack/react-query'
import { client } from '../site/client.ts'

export const CHANGE = ['change'] as const

const POLL_MS = 15_000
const POLL_RUNNING_MS = 1500

export function useChange(): ChangeStatus | undefined {
  const { data } = useQuery({
    queryKey: CHANGE,
    queryFn: ({ signal }) => client.change({ signal }),
    refetchInterval: ({ state }) => (state.data?.task == null ? POLL_MS : POLL_RUNNING_MS),
  })
  return data
}
