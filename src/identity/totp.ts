// One-time codes of an authenticator app: RFC 6238 over RFC 4226, with SHA-1, 6 digits and 30 seconds, which is what the apps know.
import { createHmac, timingSafeEqual } from 'node:crypto'

const STEP_MS = 30_000
const DIGITS = 6
/** RFC 4226, section 4, R6: at least 128 bits, 160 recommended. */
export const TOTP_SECRET_BYTES = 20
/** RFC 6238, section 5.2: one step for the way there and for clocks that differ. */
const STEPS_AROUND = 1

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export type HmacHash = 'sha1' | 'sha256' | 'sha512'

/** RFC 4226, section 5.3; the other hashes and lengths are for the published vectors. */
export function hotp(
  secret: Uint8Array,
  counter: number,
  { digits = DIGITS, hash = 'sha1' }: { readonly digits?: number; readonly hash?: HmacHash } = {},
): string {
  const message = Buffer.alloc(8)
  message.writeBigUInt64BE(BigInt(counter))
  const mac = createHmac(hash, secret).update(message).digest()
  const offset = mac[mac.length - 1]! & 0x0f
  const value = (mac.readUInt32BE(offset) & 0x7fff_ffff) % 10 ** digits
  return String(value).padStart(digits, '0')
}

/** The time step whose code this is, near `now` and after `spent`; undefined for any other code, also for one that was taken before. */
export function stepOf(
  secret: Uint8Array,
  code: string,
  { now, spent }: { readonly now: number; readonly spent: number },
): number | undefined {
  const present = Math.floor(now / STEP_MS)
  const given = Buffer.from(code.replaceAll(' ', ''))
  let found: number | undefined
  for (let step = present - STEPS_AROUND; step <= present + STEPS_AROUND; step++) {
    const expected = Buffer.from(hotp(secret, step))
    // Every step is compared, so that the time says nothing.
    const same = given.length === expected.length && timingSafeEqual(given, expected)
    if (same && step > spent) found ??= step
  }
  return found
}

/** RFC 4648, section 6, without padding: what apps and people type. */
export function base32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => BASE32[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

/** The address that apps read from a QR code (Key Uri Format of Google Authenticator). */
export function totpAddress({
  secret,
  account,
  site,
}: {
  readonly secret: Uint8Array
  readonly account: string
  readonly site: string
}): string {
  const label = `${encodeURIComponent(site)}:${encodeURIComponent(account)}`
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(site)}&algorithm=SHA1&digits=${DIGITS}&period=${STEP_MS / 1000}`
}
