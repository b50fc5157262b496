// Downloads by the browser itself: it streams to the disk, and a transfer that breaks shows as failed.
import { Failure } from '#base'
import type { Entry } from '#contract'
import { client, contentAddress } from '../site/client.ts'

const BETWEEN_MS = 300

/** Asks first whether the file opens now, so that nobody gets an error saved as a file. */
export async function download(entry: Pick<Entry, 'path' | 'name'>, version?: number): Promise<void> {
  const now = await client.stat({ path: entry.path })
  if (version === undefined && now.redundancy === 'unreadable') throw new Failure('format.incomplete')
  const link = document.createElement('a')
  link.href = contentAddress({ path: entry.path, ...(version === undefined ? {} : { version }) })
  link.download = entry.name
  link.click()
}

/** One after the other, since browsers drop downloads that start together. */
export async function downloadAll(entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    if (entry.kind !== 'file') continue
    await download(entry)
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS))
  }
}
