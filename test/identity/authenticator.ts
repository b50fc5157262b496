// An authenticator of WebAuthn in software: makes passkeys and proves that it has them, also wrongly where a test asks for it.
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

export interface Deviation {
  /** Instead of the page's own. */
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly counter?: number
  /** Flags beside user present (1) and user verified (4). */
  readonly flags?: number
  readonly userHandle?: string | null
  readonly signature?: string
  readonly type?: string
}

export interface Authenticator {
  readonly id: string
  create(options: object, deviation?: Deviation): object
  get(options: object, deviation?: Deviation): object
}

interface CreationOptions {
  readonly challenge: string
  readonly rp: { readonly id: string }
  readonly user: { readonly id: string }
}

interface RequestOptions {
  readonly challenge: string
  readonly rpId: string
}

/** `counts` false: a passkey that is copied between devices has no counter. */
export function makeAuthenticator(origin: string, { counts = true } = {}): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = randomBytes(16)
  let counter = 0
  let user = ''
  const data = (rpId: string, deviation: Deviation, attested: Buffer): Buffer => {
    if (counts) counter++
    const head = Buffer.alloc(5)
    head[0] = (deviation.flags ?? 0x05) | (attested.length > 0 ? 0x40 : 0)
    head.writeUInt32BE(deviation.counter ?? counter, 1)
    return Buffer.concat([
      createHash('sha256')
        .update(deviation.rpId ?? rpId)
        .digest(),
      head,
      attested,
    ])
  }
  const client = (type: string, challenge: string, deviation: Deviation): Buffer =>
    Buffer.from(
      JSON.stringify({
        type: deviation.type ?? type,
        challenge: deviation.challenge ?? challenge,
        origin: deviation.origin ?? origin,
        crossOrigin: false,
      }),
    )
  const name = id.toString('base64url')
  return {
    id: name,
    create(options, deviation = {}) {
      const { challenge, rp, user: whose } = options as CreationOptions
      user = whose.id
      const length = Buffer.alloc(2)
      length.writeUInt16BE(id.length)
      const authData = data(rp.id, deviation, Buffer.concat([Buffer.alloc(16), length, id, coseKey(publicKey)]))
      return {
        id: name,
        rawId: name,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: client('webauthn.create', challenge, deviation).toString('base64url'),
          attestationObject: cbor(
            new Map<string, unknown>([
              ['fmt', 'none'],
              ['attStmt', new Map()],
              ['authData', authData],
            ]),
          ).toString('base64url'),
          transports: ['internal'],
        },
      }
    },
    get(options, deviation = {}) {
      const { challenge, rpId } = options as RequestOptions
      const authData = data(rpId, deviation, Buffer.alloc(0))
      const said = client('webauthn.get', challenge, deviation)
      const signed = Buffer.concat([authData, createHash('sha256').update(said).digest()])
      return {
        id: name,
        rawId: name,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: said.toString('base64url'),
          authenticatorData: authData.toString('base64url'),
          signature: deviation.signature ?? sign('sha256', signed, privateKey).toString('base64url'),
          userHandle: deviation.userHandle === null ? undefined : (deviation.userHandle ?? user),
        },
      }
    },
  }
}

/** RFC 9053, section 2.1 and 7.1: EC2, ES256, P-256. */
function coseKey(key: KeyObject): Buffer {
  const { x, y } = key.export({ format: 'jwk' })
  return cbor(
    new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x!, 'base64url')],
      [-3, Buffer.from(y!, 'base64url')],
    ]),
  )
}

/** As much of RFC 8949 as this needs. */
function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  const entries = [...(value as Map<unknown, unknown>)]
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([key, one]) => [cbor(key), cbor(one)])])
}

function head(major: number, count: number): Buffer {
  if (count < 24) return Buffer.from([(major << 5) | count])
  if (count < 256) return Buffer.from([(major << 5) | 24, count])
  return Buffer.from([(major << 5) | 25, count >> 8, count & 0xff])
}
