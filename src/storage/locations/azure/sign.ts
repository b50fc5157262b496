// Shared Key authorisation of Azure Storage, and requests that carry a shared access signature.
// https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key (names as there)
import { createHmac } from 'node:crypto'
import { fromUtf8 } from '#base'
import type { AzureCredentials } from './credentials.ts'

export interface AzureSignable {
  readonly method: string
  /** As it is sent, encoded. */
  readonly path: string
  readonly query: readonly (readonly [string, string])[]
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly bodyBytes: number
}

/** Standard headers in the order of the document; `date` is empty, since `x-ms-date` is sent. */
const STANDARD = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
]

/** The target and the headers to send. */
export function signForAzure(
  request: AzureSignable,
  by: { readonly account: string; readonly nowMs: number; readonly credentials: AzureCredentials },
): { target: string; headers: Record<string, string> } {
  const headers: Record<string, string> = { ...request.headers, 'x-ms-date': new Date(by.nowMs).toUTCString() }
  const query = new URLSearchParams(request.query.map(([name, value]) => [name, value])).toString()
  if (by.credentials.kind === 'sas') {
    const parts = [query, fromUtf8(by.credentials.signature.reveal())].filter((part) => part !== '')
    return { target: `${request.path}?${parts.join('&')}`, headers }
  }
  const account = by.credentials.account ?? by.account
  const text = stringToSign({ ...request, headers }, account)
  const signature = createHmac('sha256', by.credentials.key.reveal()).update(text).digest('base64')
  headers['authorization'] = `SharedKey ${account}:${signature}`
  return { target: query === '' ? request.path : `${request.path}?${query}`, headers }
}

function stringToSign({ method, path, query, headers, bodyBytes }: AzureSignable, account: string): string {
  const standard = STANDARD.map((name) => (name === 'content-length' ? (bodyBytes === 0 ? '' : String(bodyBytes)) : (headers[name] ?? '')))
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .sort()
    .map((name) => `${name}:${headers[name]!.trim()}\n`)
  const parameters = query
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `\n${name}:${value}`)
  return `${[method, ...standard].join('\n')}\n${own.join('')}/${account}${path}${parameters.join('')}`
}
