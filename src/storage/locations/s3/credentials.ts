// Keys for an S3 location: loaded when needed, loaded again after a while or when the store refuses them, so that they rotate without a restart.
import { type Clock, type SecretBytes, systemClock } from '#base'
import { s3Bounds } from '../bounds.ts'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: SecretBytes
  readonly sessionToken?: SecretBytes | undefined
}

/** Answers the keys to sign with now. `reload` asks for fresh ones, after the store refused the last. */
export type CredentialsProvider = (options?: { readonly reload?: boolean }) => Promise<S3Credentials>

/** Calls `load` at most once in `keptMs` unless told to reload; calls at the same time share one load. */
export function cachedCredentials(
  load: () => Promise<S3Credentials>,
  options: { readonly clock?: Clock; readonly keptMs?: number } = {},
): CredentialsProvider {
  const clock = options.clock ?? systemClock
  const keptMs = options.keptMs ?? s3Bounds.credentialsKeptMs
  let loaded: { readonly at: number; readonly credentials: Promise<S3Credentials> } | undefined
  return async ({ reload = false } = {}) => {
    if (loaded === undefined || reload || clock.now() - loaded.at >= keptMs) loaded = { at: clock.now(), credentials: load() }
    const mine = loaded
    try {
      return await mine.credentials
    } catch (error) {
      if (loaded === mine) loaded = undefined
      throw error
    }
  }
}
