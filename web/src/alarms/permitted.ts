// What a person may not see is left out, and not asked for again and again: every refusal is a line in the audit log.
import { isFailure } from '#base'

interface Asked {
  readonly state: { readonly error: Error | null }
}

export function isDenied(error: unknown): boolean {
  return isFailure(error, 'access.denied')
}

/** Asked again so often, as long as it is answered. */
export function every(ms: number): (query: Asked) => number | false {
  return ({ state }) => (isDenied(state.error) ? false : ms)
}
