// The one client of the page.
import { createClient, routes, target } from '#contract'
import { fetchTransport } from './transport.ts'

export const client = createClient(fetchTransport)

/** Where the bytes of a file are, for a link that the browser downloads by itself. */
export function contentAddress(file: { readonly path: string; readonly version?: number }): string {
  return target(routes.download, { query: file })
}
