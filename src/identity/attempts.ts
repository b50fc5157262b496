// Slows down guessing: growing waits by account and address, in bounded memory, and never so that a stranger locks a colleague out.
import { Failure, limits, rfc3339, type Clock } from '#base'
import { digestOf } from './secrets.ts'

/** A refused attempt that must wait, and until when. */
export class TooManyAttempts extends Failure {
  readonly waitMs: number

  constructor(waitMs: number, now: number) {
    super('identity.wait', {
      detail: `Too many attempts failed. The next one is looked at in ${Math.ceil(waitMs / 1000)} s, at ${rfc3339(now + waitMs)}.`,
      next: 'Wait, or sign in with a passkey: passkeys are not slowed down by the attempts of others.',
    })
    this.waitMs = waitMs
  }
}

export interface Attempts {
  /**
   * Throws `TooManyAttempts` while this account from this address, or this address, has to wait. Else the attempt counts as failed from now on,
   * so that many at once count as many.
   */
  begin(account: string, address: string): Attempt
}

export interface Attempt {
  /** It was the person: it does not count, and the failures of this account from this address are forgotten. */
  succeeded(): void
  /** It was never looked at, and does not count. */
  withdrawn(): void
}

interface Count {
  readonly failures: number
  readonly last: number
}

const FREE = 5
const WAIT_MS_MIN = 1000
const WAIT_MS_MAX = 15 * 60_000
const FORGET_MS = 24 * 3_600_000
/** Many people sit behind the address of one hospital. */
const FREE_OF_ADDRESS = 50
/** From many addresses together. It concerns only addresses from which the person never came in. */
const FREE_OF_ACCOUNT = 100

export function createAttempts(clock: Clock): Attempts {
  const pairs = new Map<string, Count>()
  const addresses = new Map<string, Count>()
  const accounts = new Map<string, Count>()
  const known = new Map<string, true>()
  const back = (map: Map<string, Count>, key: string): void => {
    const count = map.get(key)
    if (count !== undefined) map.set(key, { ...count, failures: Math.max(0, count.failures - 1) })
  }
  return {
    begin(account, address) {
      const where = placeOf(address)
      const [pair, name] = [keyOf(account, where), digestOf(account)]
      const now = clock.now()
      const waitMs = Math.max(
        waitOf(pairs.get(pair), FREE, now),
        waitOf(addresses.get(where), FREE_OF_ADDRESS, now),
        known.has(pair) ? 0 : waitOf(accounts.get(name), FREE_OF_ACCOUNT, now),
      )
      if (waitMs > 0) throw new TooManyAttempts(waitMs, now)
      const counts = [
        [pairs, pair],
        [addresses, where],
        [accounts, name],
      ] as const
      for (const [map, key] of counts) {
        const before = map.get(key)
        const failures = before === undefined || now - before.last > FORGET_MS ? 0 : before.failures
        put(map, key, { failures: failures + 1, last: now })
      }
      const withdrawn = (): void => {
        for (const [map, key] of counts) back(map, key)
      }
      return {
        withdrawn,
        succeeded() {
          withdrawn()
          pairs.delete(pair)
          put(known, pair, true)
        },
      }
    },
  }
}

function waitOf(count: Count | undefined, free: number, now: number): number {
  if (count === undefined || count.failures < free || now - count.last > FORGET_MS) return 0
  const wait = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(count.failures - free, 20))
  return Math.max(0, count.last + wait - now)
}

/** The newest stay. */
function put<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > limits.attemptsKept && oldest !== undefined) map.delete(oldest)
}

/** Only digests of names stay in memory. */
function keyOf(account: string, where: string): string {
  return digestOf(`${where}\n${account}`)
}

/** One household has a /64 of IPv6. */
export function placeOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0')
  return `${[...first, ...(tail === undefined ? [] : zeros), ...last].slice(0, 4).join(':')}::/64`
}
