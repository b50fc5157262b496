// How the process ends. Scripts rely on these numbers; docs/operate/command-line.md lists them.
import { Failure } from '#base'

export const EXIT = { done: 0, failed: 1, usage: 2, degraded: 3, unreadable: 4 } as const

/** What was stored cannot be read now: too few or damaged fragments. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof Failure && error.code.startsWith('format.')
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof Failure && error.code === 'cli.usage') return EXIT.usage
  return isUnreadable(error) ? EXIT.unreadable : EXIT.failed
}
