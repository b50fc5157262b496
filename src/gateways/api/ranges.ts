// Which bytes of a representation a GET asks for, and whether its conditions hold (RFC 9110, sections 13 and 14).
import { Failure } from '#base'
import { Refusal } from './answer.ts'

export interface Selected {
  readonly kind: 'whole' | 'part' | 'unchanged'
  readonly first: number
  /** Inclusive; first - 1 when there are no bytes. */
  readonly last: number
}

type Headers = Readonly<Record<string, string | undefined>>

/**
 * Judges If-Match, If-None-Match, If-Range and Range in the order of section 13.2.2. Dates are no validators here: people set them.
 * Several ranges and ranges that do not parse are ignored, as section 14.2 allows.
 */
export function select(request: { method: string; headers: Headers; etag: string; sizeBytes: number }): Selected {
  const { headers, etag, sizeBytes } = request
  const whole: Selected = { kind: 'whole', first: 0, last: sizeBytes - 1 }
  const ifMatch = headers['if-match']
  if (ifMatch !== undefined && !names(ifMatch, etag, 'strong')) throw new Failure('api.precondition')
  const ifNoneMatch = headers['if-none-match']
  if (ifNoneMatch !== undefined && names(ifNoneMatch, etag, 'weak')) return { ...whole, kind: 'unchanged' }
  const range = headers['range']
  if (range === undefined || request.method !== 'GET') return whole
  const ifRange = headers['if-range']
  if (ifRange !== undefined && ifRange.trim() !== etag) return whole
  return parseRange(range, sizeBytes) ?? whole
}

/** One satisfiable range, undefined for what has to be ignored; throws `storage.range` when nothing of it exists. */
function parseRange(header: string, sizeBytes: number): Selected | undefined {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header)
  if (match === null) return undefined
  const [from, to] = [match[1]!, match[2]!]
  if (from === '' && to === '') return undefined
  if (from === '') return suffix(bounded(to), sizeBytes)
  const first = bounded(from)
  const last = to === '' ? Number.MAX_SAFE_INTEGER : bounded(to)
  if (last < first) return undefined
  if (first >= sizeBytes) throw outside(sizeBytes)
  return { kind: 'part', first, last: Math.min(last, sizeBytes - 1) }
}

/** A suffix of an empty file is the whole empty file; a suffix of no bytes is nothing (section 14.1.2). */
function suffix(length: number, sizeBytes: number): Selected | undefined {
  if (length === 0) throw outside(sizeBytes)
  if (sizeBytes === 0) return undefined
  return { kind: 'part', first: Math.max(0, sizeBytes - length), last: sizeBytes - 1 }
}

function bounded(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER)
}

function outside(sizeBytes: number): Failure {
  const detail = `The range lies outside the file, which has ${sizeBytes} bytes.`
  return new Refusal('storage.range', { 'content-range': `bytes */${sizeBytes}` }, { detail })
}

/** Whether a list of entity tags names this one (section 8.8.3.2). Strong comparison knows no weak tags. */
function names(list: string, etag: string, comparison: 'weak' | 'strong'): boolean {
  if (list.trim() === '*') return true
  return list
    .split(',')
    .map((tag) => tag.trim())
    .some((tag) => (comparison === 'weak' && tag.startsWith('W/') ? tag.slice(2) : tag) === etag)
}
