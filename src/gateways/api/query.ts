// The query of an address, read strictly: one value a name, UTF-8 only. A guess here could name another file than the one meant.
import { Failure } from '#base'

const NAMES_MAX = 16

/** `a=1&b=%2F` as an object without a prototype. Throws `api.body` on repeated names and broken escapes. */
export function parseQuery(query: string): Record<string, string> {
  const values: Record<string, string> = Object.create(null)
  if (query === '') return values
  const pairs = query.split('&')
  if (pairs.length > NAMES_MAX) throw refused('too many parameters')
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const name = decode(at < 0 ? pair : pair.slice(0, at))
    if (name in values) throw refused('a parameter is given twice')
    values[name] = at < 0 ? '' : decode(pair.slice(at + 1))
  }
  return values
}

/** Splits a request target into path and query; a fragment never travels. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const at = target.indexOf('?')
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at + 1) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw refused('an escape is not UTF-8')
  }
}

function refused(what: string): Failure {
  return new Failure('api.body', { detail: `The query cannot be read: ${what}.` })
}
