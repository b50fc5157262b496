// The code of the start link: taken from the address, exchanged for a session, never left in the history.
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
