// Keys for an S3 location.
import type { SecretBytes } from '#base'
import { type Cached, cached } from '../web/cached.ts'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: SecretBytes
  readonly sessionToken?: SecretBytes | undefined
}

/** Answers the keys to sign with now. */
export type CredentialsProvider = Cached<S3Credentials>

export const cachedCredentials = cached<S3Credentials>
