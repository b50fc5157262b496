// Where the person is, kept in the part of the address that browsers never send: paths of files reach no server log by it.
import { useSyncExternalStore } from 'react'

export type Route =
  | { readonly page: 'files'; readonly path: string; readonly show?: string | undefined }
  | { readonly page: 'view'; readonly path: string; readonly version?: number | undefined }
  | { readonly page: 'locations' | 'health' | 'planner' | 'trash' | 'audit' | 'alarms' | 'api' | 'people' | 'account' }

/** Reads `#/files/mri/2026?show=scan.dcm` `#/view/mri/scan.dcm` `#/locations` and so on; anything else is the top folder. */
export function parseRoute(hash: string): Route {
  const [where = '', query = ''] = hash.replace(/^#/, '').split('?')
  for (const page of ['locations', 'health', 'planner', 'trash', 'audit', 'alarms', 'api', 'people', 'account'] as const)
    if (where === `/${page}`) return { page }
  const asked = new URLSearchParams(query)
  if (where.startsWith('/view/') && where.length > '/view/'.length) {
    const version = Number(asked.get('version') ?? 0)
    return {
      page: 'view',
      path: pathOf(where.slice('/view/'.length)),
      ...(Number.isSafeInteger(version) && version > 0 ? { version } : {}),
    }
  }
  const show = asked.get('show') ?? undefined
  const path = pathOf(where.startsWith('/files/') ? where.slice('/files/'.length) : '')
  return { page: 'files', path, ...(show === undefined ? {} : { show }) }
}

export function hrefOf(route: Route): string {
  if (route.page !== 'files' && route.page !== 'view') return `#/${route.page}`
  const path = route.path.split('/').filter(Boolean).map(encodeURIComponent).join('/')
  if (route.page === 'view') return `#/view/${path}${route.version === undefined ? '' : `?version=${route.version}`}`
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

function pathOf(segments: string): string {
  return `/${segments.split('/').filter(Boolean).map(decoded).join('/')}`
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
