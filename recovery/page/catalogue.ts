// The state of a vault after its catalogue's lines (docs/spec/vault.md, "Catalogue").
import { type Json, parseCanonical } from '#format'

const LINE_BYTES_MAX = 4 * 2 ** 20

export interface Version {
  readonly number: number
  readonly object: string
  readonly version: number
  readonly dealId: string
  readonly created: string
  readonly modified: string
}

export interface Deal {
  readonly k: number
  readonly size: number
}

export interface PlaceLine {
  readonly location: string
  readonly label: string
  readonly place: string
}

type Line = { readonly [name: string]: Json | undefined }

export interface Heading {
  readonly kind: 'snapshot' | 'segment'
  readonly sequence: number
}

export class Catalogue {
  name: string | undefined
  readonly locations = new Map<string, PlaceLine>()
  readonly folders = new Set<string>()
  readonly deals = new Map<string, Deal>()
  readonly dropped = new Set<string>()
  readonly paths = new Map<string, string>()
  readonly versions = new Map<string, Map<number, Version>>()
  unknown = 0

  /** Applies one snapshot or segment, whole or not at all. Throws when it is not `expected`. */
  take(bytes: Uint8Array, expected: Heading & { readonly vault: string }): void {
    const [top, ...lines] = linesOf(bytes)
    if (
      top === undefined ||
      top['v'] !== 1 ||
      top['vault'] !== expected.vault ||
      top['sequence'] !== expected.sequence ||
      top['kind'] !== expected.kind
    )
      throw new Error('a part of the catalogue is not what its reference says')
    for (const line of lines) this.#apply(line)
  }

  #apply(line: Line): void {
    const op = text(line['op'])
    switch (op) {
      case 'folder':
        this.folders.add(path(line['path']))
        return
      case 'deal':
        this.deals.set(text(line['dealId']), { k: count(line['k']), size: count(line['size']) })
        this.dropped.delete(text(line['dealId']))
        return
      case 'file': {
        const file = text(line['file'])
        this.paths.set(file, path(line['path']))
        const versions = this.versions.get(file) ?? new Map<number, Version>()
        this.versions.set(file, versions)
        versions.set(count(line['number']), {
          number: count(line['number']),
          object: text(line['object']),
          version: count(line['version']),
          dealId: text(line['dealId']),
          created: text(line['created']),
          modified: text(line['modified']),
        })
        return
      }
      case 'move':
        return this.#move(path(line['from']), path(line['to']))
      case 'remove':
        return this.#remove(path(line['path']))
      case 'forget': {
        const file = text(line['file'])
        const versions = this.versions.get(file)
        versions?.delete(count(line['number']))
        if (versions?.size === 0) this.#forget(file)
        return
      }
      case 'drop':
        this.dropped.add(text(line['dealId']))
        this.deals.delete(text(line['dealId']))
        return
      case 'vault':
        this.name = text(line['name'])
        return
      case 'location':
        this.locations.set(text(line['location']), {
          location: text(line['location']),
          label: text(line['label']),
          place: text(line['place']),
        })
        return
      case 'leave':
        this.locations.delete(text(line['location']))
        return
      // Names over time, the trash, rules of keeping, records of deletions, unfinished uploads: nothing to restore by.
      case 'name':
      case 'history':
      case 'trash':
      case 'keep':
      case 'deletion':
      case 'upload':
      case 'upload-end':
        return
      case 'place':
      case 'unplace':
        // Fragments are known by what they say themselves.
        return
      default:
        this.unknown += 1
    }
  }

  #move(from: string, to: string): void {
    const moved = (one: string): string => (one === from || one.startsWith(`${from}/`) ? to + one.slice(from.length) : one)
    for (const [file, one] of this.paths) this.paths.set(file, moved(one))
    const folders = [...this.folders].map(moved)
    this.folders.clear()
    for (const folder of folders) this.folders.add(folder)
  }

  #remove(gone: string): void {
    const inside = (one: string): boolean => one === gone || one.startsWith(`${gone}/`)
    for (const [file, one] of this.paths) if (inside(one)) this.#forget(file)
    for (const folder of this.folders) if (inside(folder)) this.folders.delete(folder)
  }

  #forget(file: string): void {
    this.paths.delete(file)
    this.versions.delete(file)
  }
}

/** What the first line of a part says that it is, or undefined. */
export function headingOf(bytes: Uint8Array): Heading | undefined {
  try {
    const end = bytes.indexOf(10)
    const top = parseCanonical(bytes.subarray(0, end)) as Line
    const { kind, sequence } = top
    return (kind === 'snapshot' || kind === 'segment') && typeof sequence === 'number' ? { kind, sequence } : undefined
  } catch {
    return undefined
  }
}

function* linesOf(bytes: Uint8Array): Generator<Line> {
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(10, from)
    if (end < 0 || end - from > LINE_BYTES_MAX) throw new Error('a line of the catalogue does not end')
    const value = parseCanonical(bytes.subarray(from, end))
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('a line of the catalogue is no object')
    yield value as Line
    from = end + 1
  }
}

function path(value: Json | undefined): string {
  const one = text(value)
  if (!one.startsWith('/') || one === '/') throw new Error('a line of the catalogue has no path')
  return one
}

function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error('a line of the catalogue is not as written')
  return value
}

function count(value: Json | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Error('a line of the catalogue is not as written')
  return value
}
