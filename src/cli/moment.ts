// Moments as they are typed: of this machine, or of a zone that is said.
import { InvalidArgumentError } from '@commander-js/extra-typings'

/** RFC 3339 in UTC. Without a zone it is the time of this machine. */
export function moment(text: string): string {
  const ms = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text)
    ? Date.parse(text.replace(' ', 'T'))
    : Number.NaN
  if (Number.isNaN(ms)) throw new InvalidArgumentError('It must be a moment, like 2026-03-01T12:00.')
  return new Date(ms).toISOString()
}
