// Which key an SSH server must show: fingerprints, or a known_hosts file of OpenSSH (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). No trust on first use.
import { createHash, createHmac } from 'node:crypto'
import { equalPublic } from '#base'

export interface HostAddress {
  readonly host: string
  readonly port: number
}

/** The kinds of host keys that are asked for, one kind in each try, strongest first. Signatures with SHA-1 and DSA are not taken. */
export const HOST_KEY_KINDS = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256'],
] as const

/** `SHA256:...` of a key as it is sent, without padding: what `ssh-keygen -l` shows. */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** True when the key is one of those that were pinned. */
export function isPinned(key: Uint8Array, pins: readonly string[]): boolean {
  const shown = new TextEncoder().encode(fingerprintOf(key))
  return pins.some((pin) => equalPublic(new TextEncoder().encode(pin.replace(/=+$/, '')), shown))
}

/**
 * Fingerprints that a known_hosts file gives for an address; those marked @revoked are left out, wherever they stand.
 * Certificates of host authorities are not supported: their lines give nothing. Lines that are not understood give nothing.
 */
export function knownFingerprints(text: string, address: HostAddress): string[] {
  const name = address.host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  // OpenSSH writes the port along unless it is the usual one.
  const wanted = address.port === 22 ? name : `[${name}]:${address.port}`
  const found = new Set<string>()
  const revoked = new Set<string>()
  for (const line of text.split(/\r?\n/)) {
    const words = line.trim().split(/\s+/)
    if (words[0] === undefined || words[0] === '' || words[0].startsWith('#')) continue
    const marker = words[0].startsWith('@') ? words.shift() : undefined
    const [hosts, type, key] = words
    if (hosts === undefined || type === undefined || key === undefined || !/^[A-Za-z0-9+/]+=*$/.test(key)) continue
    const bytes = Buffer.from(key, 'base64')
    if (bytes.length < 16 || !matches(hosts, wanted)) continue
    if (marker === '@revoked') revoked.add(fingerprintOf(bytes))
    else if (marker === undefined) found.add(fingerprintOf(bytes))
  }
  return [...found].filter((each) => !revoked.has(each))
}

function matches(hosts: string, wanted: string): boolean {
  if (hosts.startsWith('|1|')) return matchesHashed(hosts, wanted)
  let matched = false
  for (const pattern of hosts.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!')
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, wanted)) continue
    if (negated) return false
    matched = true
  }
  return matched
}

/** `|1|salt|HMAC-SHA1(salt, host)`. */
function matchesHashed(hosts: string, wanted: string): boolean {
  const [, , salt, hash] = hosts.split('|')
  if (salt === undefined || hash === undefined) return false
  const made = createHmac('sha1', Buffer.from(salt, 'base64')).update(wanted).digest()
  return equalPublic(made, Buffer.from(hash, 'base64'))
}

/** `*` stands for any characters, `?` for one. Without a regular expression, which a crafted pattern could make slow. */
function matchesPattern(pattern: string, text: string): boolean {
  let [p, t, star, back] = [0, 0, -1, 0]
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p
      back = t
      p += 1
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1
      t += 1
    } else if (star >= 0) {
      p = star + 1
      back += 1
      t = back
    } else return false
  }
  while (pattern[p] === '*') p += 1
  return p === pattern.length
}
