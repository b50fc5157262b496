// What a person sees of a folder that they may not read as a whole: the way to what they were given, and that.
import { Failure } from '#base'
import type { Entry, Listing } from '#contract'
import { foldedName, type SiteStorage } from '#storage'
import { isAtOrBelow } from './rights.ts'

const PAGE_MAX = 1000
const SEARCH_MAX = 200
/** Given things below one folder; whoever has more is better served by a group or a folder above. */
export const GIVEN_MAX = 10_000

/** Part of the tree in code point order: one entry, or all that lies below a folder. */
interface Part {
  readonly path: string
  readonly all: boolean
}

/**
 * One page of a folder as somebody sees it who was given only `given` (paths below it, each with all below). The order and the meaning of `after` are those of
 * `storage.list`.
 */
export async function listGiven(
  storage: SiteStorage,
  request: {
    readonly path: string
    readonly recursive: boolean
    readonly after?: string | undefined
    readonly limit?: number | undefined
    readonly given: readonly string[]
  },
): Promise<Listing> {
  const limit = Math.min(request.limit ?? PAGE_MAX, PAGE_MAX)
  const after = request.after ?? ''
  const entries: Entry[] = []
  for (const part of partsOf(request.path, request.given, request.recursive)) {
    if (entries.length > limit) break
    if (!part.all) {
      if (!isAfter(part.path, after)) continue
      const entry = await statIfThere(storage, part.path)
      if (entry !== undefined) entries.push(entry)
      continue
    }
    for (let from = later(after, `${part.path}/`); entries.length <= limit;) {
      const page = await below(storage, { path: part.path, after: from, limit: limit + 1 - entries.length })
      entries.push(...page.entries)
      if (page.next === null) break
      from = page.next
    }
  }
  const page = entries.slice(0, limit)
  return { path: request.path, entries: page, next: entries.length > page.length ? page[page.length - 1]!.path : null }
}

/** As `storage.search`, for somebody who was given only `given`. */
export async function searchGiven(
  storage: SiteStorage,
  request: {
    readonly path: string
    readonly text: string
    readonly after?: string | undefined
    readonly limit?: number | undefined
    readonly given: readonly string[]
  },
): Promise<Listing> {
  const limit = Math.min(request.limit ?? SEARCH_MAX, SEARCH_MAX)
  const after = request.after ?? ''
  const entries: Entry[] = []
  const given = new Set(request.given)
  for (const { path, all } of partsOf(request.path, request.given, true)) {
    if (!all) {
      const holds =
        given.has(path) && isAfter(path, after) && foldedName(path.slice(path.lastIndexOf('/') + 1)).includes(foldedName(request.text))
      const entry = holds ? await statIfThere(storage, path) : undefined
      if (entry !== undefined) entries.push(entry)
      if (entries.length >= limit) return { path: request.path, entries, next: path }
      continue
    }
    if (!isAfter(`${path}0`, after)) continue
    const page = await storage.search({ path, text: request.text, after: later(after, `${path}/`), limit: limit - entries.length })
    entries.push(...page.entries)
    if (entries.length >= limit || page.next !== null) return { path: request.path, entries, next: page.next ?? `${path}0` }
  }
  return { path: request.path, entries, next: null }
}

/** In code point order, none twice. */
export function partsOf(folder: string, given: readonly string[], recursive: boolean): readonly Part[] {
  const tops = given.filter((path) => !given.some((other) => other !== path && isAtOrBelow(path, other)))
  const parts = new Map<string, Part>()
  const start = folder === '/' ? 1 : folder.length + 1
  for (const path of new Set(tops)) {
    // The folders on the way, then what was given itself.
    for (let slash = path.indexOf('/', start); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const way = path.slice(0, slash)
      parts.set(way, { path: way, all: false })
      if (!recursive) break
    }
    if (recursive || path.indexOf('/', start) < 0) parts.set(path, { path, all: false })
    if (recursive) parts.set(`${path}/`, { path, all: true })
  }
  return [...parts].toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map(([, part]) => part)
}

async function below(storage: SiteStorage, request: { path: string; after: string; limit: number }): Promise<Omit<Listing, 'path'>> {
  try {
    return await storage.list({ ...request, recursive: true })
  } catch (error) {
    // It is a file, or gone meanwhile.
    if (error instanceof Failure && (error.code === 'storage.path' || error.code === 'storage.absent')) return { entries: [], next: null }
    throw error
  }
}

async function statIfThere(storage: SiteStorage, path: string): Promise<Entry | undefined> {
  try {
    return await storage.stat({ path })
  } catch (error) {
    if (error instanceof Failure && error.code === 'storage.absent') return undefined
    throw error
  }
}

function isAfter(path: string, after: string): boolean {
  return Buffer.compare(Buffer.from(path), Buffer.from(after)) > 0
}

function later(a: string, b: string): string {
  return isAfter(a, b) ? a : b
}
