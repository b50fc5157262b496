// Challenges of WebAuthn that need no memory until they are answered: random, dated, and signed by a key of this start.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { limits, type Clock } from '#base'

const RANDOM_BYTES = 16
const TIME_BYTES = 8
const MAC_BYTES = 32

export interface Challenges {
  /** `purpose` names what it is for and for whom. */
  make(purpose: string): Uint8Array
  /** True for one that was made for this purpose, is not too old, and was never spent. */
  stands(challenge: Uint8Array, purpose: string): boolean
  /** From now on it does not stand. Answers false when it was spent before: of two at once, one counts. */
  spend(challenge: Uint8Array): boolean
}

/** Only answers that were right are remembered, so that strangers cannot fill the memory or push others out. */
export function createChallenges(clock: Clock): Challenges {
  const key = randomBytes(32)
  const spent = new Map<string, number>()
  const macOf = (head: Uint8Array, purpose: string): Buffer => createHmac('sha256', key).update(head).update(purpose).digest()
  const forgetOld = (): void => {
    for (const [challenge, until] of spent) {
      if (until > clock.now()) return
      spent.delete(challenge)
    }
  }
  return {
    make(purpose) {
      const head = Buffer.alloc(RANDOM_BYTES + TIME_BYTES)
      randomBytes(RANDOM_BYTES).copy(head)
      head.writeBigUInt64BE(BigInt(clock.now() + limits.challengeMs), RANDOM_BYTES)
      return new Uint8Array(Buffer.concat([head, macOf(head, purpose)]))
    },
    stands(challenge, purpose) {
      if (challenge.length !== RANDOM_BYTES + TIME_BYTES + MAC_BYTES) return false
      const head = Buffer.from(challenge.subarray(0, RANDOM_BYTES + TIME_BYTES))
      if (!timingSafeEqual(macOf(head, purpose), challenge.subarray(RANDOM_BYTES + TIME_BYTES))) return false
      return Number(head.readBigUInt64BE(RANDOM_BYTES)) > clock.now() && !spent.has(Buffer.from(challenge).toString('hex'))
    },
    spend(challenge) {
      forgetOld()
      const name = Buffer.from(challenge).toString('hex')
      if (spent.has(name)) return false
      spent.set(name, clock.now() + limits.challengeMs)
      return true
    },
  }
}
