// Locations as people type them: folders are meant from where the person stands, the site may run elsewhere.
import { resolve } from 'node:path'
import type { Host } from './host.ts'

const LABEL_CHARS_MAX = 100

export interface LocationSpec {
  readonly spec: string
  readonly label?: string
}

/** `folder:a` with its absolute path; called as it was typed unless a label is given. */
export function locationSpec(host: Pick<Host, 'folder' | 'personFolder'>, typed: string, label?: string): LocationSpec {
  const match = /^folder:(.*)$/s.exec(typed)
  if (match === null) return { spec: typed, ...(label === undefined ? {} : { label }) }
  const path = match[1]!.replace(/^~(?=\/|$)/, host.personFolder)
  const name = label ?? (typed.length <= LABEL_CHARS_MAX ? typed : undefined)
  return { spec: path === '' ? typed : `folder:${resolve(host.folder, path)}`, ...(name === undefined ? {} : { label: name }) }
}
