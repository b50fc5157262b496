// What leads in: the code of the start link, invitations, and the answer of a sign-in service. All are taken from the address and never left in the history.
import { useSyncExternalStore } from 'react'
import { client } from './client.ts'

const MARK = '#open='

/** The code, if the address holds one. The address is cleaned at once. */
export function takeCode(): string | undefined {
  if (!location.hash.startsWith(MARK)) return undefined
  const code = decodeURIComponent(location.hash.slice(MARK.length))
  history.replaceState(null, '', location.pathname)
  return code
}

export async function openWith(code: string): Promise<void> {
  await client.openSession({ code })
}

const INVITED = '#invitation='

let invitation = takeInvitation()
const listeners = new Set<() => void>()

function takeInvitation(): string | undefined {
  if (!location.hash.startsWith(INVITED)) return undefined
  const token = location.hash.slice(INVITED.length)
  history.replaceState(null, '', location.pathname)
  return token
}

function change(next: string | undefined): void {
  invitation = next
  for (const listener of listeners) listener()
}

/** The token of an invitation that was opened in this tab, until it is accepted or put away. */
export function useInvitation(): string | undefined {
  return useSyncExternalStore(subscribe, () => invitation)
}

function subscribe(listener: () => void): () => void {
  const changed = (): void => {
    const token = takeInvitation()
    if (token !== undefined) change(token)
  }
  addEventListener('hashchange', changed)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    removeEventListener('hashchange', changed)
  }
}

export function openInvitation(token: string): void {
  change(token)
}

export function closeInvitation(): void {
  change(undefined)
}

/** In the part of the address that browsers never send. */
export function invitationAddress(token: string): string {
  return `${location.origin}/${INVITED}${token}`
}

let answer = takeAnswer()

/** What a sign-in service put behind `?`; the address is cleaned at once. */
function takeAnswer(): string | undefined {
  const query = new URLSearchParams(location.search)
  if (!query.has('state') || !(query.has('code') || query.has('error'))) return undefined
  const said = location.search.slice(1)
  history.replaceState(null, '', location.pathname)
  return said
}

/** The answer of a sign-in service with which this page was opened, once. */
export function takeProviderAnswer(): string | undefined {
  const said = answer
  answer = undefined
  return said
}
