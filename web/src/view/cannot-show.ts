// Why a viewer gives up, as a word that each language has a sentence for. What the site refuses stays a `Failure`.

export type Reason =
  | 'empty'
  | 'damaged'
  | 'truncated'
  | 'replaced'
  | 'too-large'
  | 'compression'
  | 'no-picture'
  | 'not-tiled'
  | 'password'
  | 'packed'
  | 'no-table'

export class CannotShow extends Error {
  override readonly name = 'CannotShow'
  readonly reason: Reason
  /** A fact that helps who knows the format: a compression, a tag, a size. Never content. */
  readonly fact: string

  constructor(reason: Reason, fact = '', options?: ErrorOptions) {
    super(fact === '' ? reason : `${reason}: ${fact}`, options)
    this.reason = reason
    this.fact = fact
  }
}

/** True when a read ended because its viewer was closed, which is nobody's trouble. */
export function isClosed(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
