// Where the person is, kept in the part of the address that browsers never send: paths of files reach no server log by it.
import { useSyncExternalStore } from 'react'

export type Route =
  | { readonly page: 'files'; readonly path: string; readonly show?: string | undefined }
  | { readonly page: 'locations' | 'health' | 'planner' | 'trash' | 'audit' | 'alarms' | 'api' }

/** Reads `#/files/mri/2026?show=scan.dcm` `#/locations` and so on; anything else is the top folder. */
export function parseRoute(hash: string): Route {
  const [where = '', query = ''] = hash.replace(/^#/, '').split('?')
  for (const page of ['locations', 'health', 'planner', 'trash', 'audit', 'alarms', 'api'] as const)
    if (where === `/${page}`) return { page }
  const segments = where.startsWith('/files/') ? where.slice('/files/'.length).split('/').filter(Boolean) : []
  const show = new URLSearchParams(query).get('show') ?? undefined
  return { page: 'files', path: `/${segments.map(decoded).join('/')}`, ...(show === undefined ? {} : { show }) }
}

export function hrefOf(route: Route): string {
  if (route.page !== 'files') return `#/${route.page}`
  const path = route.path.split('/').filter(Boolean).map(encodeURIComponent).join('/')
  return `#/files/${path}${route.show === undefined ? '' : `?${new URLSearchParams({ show: route.show }).toString()}`}`
}

export function go(route: Route): void {
  location.hash = hrefOf(route)
}

let seen = { hash: '', route: parseRoute('') }

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current)
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

function current(): Route {
  if (seen.hash !== location.hash) seen = { hash: location.hash, route: parseRoute(location.hash) }
  return seen.route
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
