// What the page knows of people, cached.
import type { Credentials, Group, Me, PersonView, SessionView } from '#contract'
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { client } from '../site/client.ts'

export const peopleKeys = {
  me: ['me'],
  people: ['people'],
  groups: ['groups'],
  credentials: ['credentials'],
  sessions: ['sessions'],
} as const

export function useMe(): UseQueryResult<Me> {
  return useQuery({ queryKey: peopleKeys.me, queryFn: ({ signal }) => client.me({ signal }) })
}

export function usePeople(enabled: boolean): UseQueryResult<PersonView[]> {
  return useQuery({ queryKey: peopleKeys.people, queryFn: async ({ signal }) => (await client.people({ signal })).people, enabled })
}

export function useGroups(): UseQueryResult<Group[]> {
  return useQuery({ queryKey: peopleKeys.groups, queryFn: async ({ signal }) => (await client.groups({ signal })).groups })
}

export function useCredentials(enabled: boolean): UseQueryResult<Credentials> {
  return useQuery({ queryKey: peopleKeys.credentials, queryFn: ({ signal }) => client.credentials({ signal }), enabled })
}

export function useSessions(enabled: boolean): UseQueryResult<SessionView[]> {
  return useQuery({ queryKey: peopleKeys.sessions, queryFn: async ({ signal }) => (await client.sessions({ signal })).sessions, enabled })
}

/** Whether the one who asks manages people. */
export function manages(me: Me | undefined): boolean {
  return me?.kind === 'operator' || me?.person?.roles.includes('administrator') === true
}
