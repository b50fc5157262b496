// Follows the certificate while the site runs: a new one is taken up without a break, a broken one is reported and the old one stays.
import { type Clock, Failure, isFailure, limits } from '#base'
import { judgeCertificate, type CertificateFacts, type CertificatePair } from './certificate.ts'

export interface CertificateOptions {
  readonly host: string
  readonly clock: Clock
  /** Reads both files, or makes a pair. Throws when they cannot be read. */
  read(): Promise<CertificatePair>
  /** Serves new connections with this pair from now on. */
  apply(pair: CertificatePair): void
}

export interface CertificateKeeper {
  readonly pair: CertificatePair
  readonly facts: CertificateFacts
  /** Why what lies in the files now is not served; undefined while it is. */
  readonly trouble: Failure | undefined
  /** One look at the files. Never throws. */
  look(): Promise<void>
  /** Looks again and again until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>
}

/** The key and the certificate are written one after the other: only what is wrong twice in a row is wrong. */
const WRONG_LOOKS = 2

/** Throws `api.certificate` when the first pair cannot be served. */
export async function keepCertificate(options: CertificateOptions): Promise<CertificateKeeper> {
  const { host, clock } = options
  const judge = (one: CertificatePair): CertificateFacts => judgeCertificate(one, { host, nowMs: clock.now() })
  let pair = await options.read()
  let facts = judge(pair)
  let trouble: Failure | undefined
  let wrong = 0
  options.apply(pair)

  const keeper: CertificateKeeper = {
    get pair() {
      return pair
    },
    get facts() {
      return facts
    },
    get trouble() {
      return trouble
    },
    async look() {
      try {
        const found = await options.read()
        if (found.certificate !== pair.certificate || found.key !== pair.key) {
          const judged = judge(found)
          options.apply(found)
          pair = found
          facts = judged
        }
        wrong = 0
        trouble = undefined
      } catch (error) {
        wrong += 1
        if (wrong >= WRONG_LOOKS) trouble = asFailure(error)
      }
    },
    async watch(signal) {
      while (!signal.aborted) {
        await clock.sleep(limits.certificateLookMs, signal).catch(() => undefined)
        if (!signal.aborted) await keeper.look()
      }
    },
  }
  return keeper
}

function asFailure(error: unknown): Failure {
  if (isFailure(error)) return error
  return new Failure('api.certificate', {
    detail: 'The files of the certificate cannot be read.',
    next: 'Let the user of the site read them.',
    cause: error,
  })
}
