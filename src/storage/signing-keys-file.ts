// The file of the signing keys: one canonical JSON object, parsed exactly (docs/spec/signing-keys.md).
import { type Bytes, fromBase64, toHex } from '#base'
import { sha256 } from '#crypto/primitives'
import { canonicalBytes, parseCanonical } from '#format'
import { z } from 'zod'
import { argon2Bounds } from './passphrase.ts'

const SEED_BYTES = 64
const TAG_BYTES = 16

const bytes = (length: number): z.ZodString => z.string().refine((text) => isBase64Of(text, length))

const sealSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('passphrase'),
    algorithm: z.literal('argon2id'),
    memoryKib: z.int().min(argon2Bounds.memoryKibMin).max(argon2Bounds.memoryKibMax),
    passes: z.int().min(argon2Bounds.passesMin).max(argon2Bounds.passesMax),
    lanes: z.int().min(argon2Bounds.lanesMin).max(argon2Bounds.lanesMax),
    salt: bytes(argon2Bounds.saltBytes),
  }),
  z.strictObject({ kind: z.literal('key-file') }),
])

const headShape = {
  v: z.literal(1),
  format: z.literal('quorate signing keys'),
  keys: z.strictObject({ mldsa65: bytes(1952), ed25519: bytes(32) }),
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  seal: sealSchema,
}
const fileShape = { ...headShape, nonce: bytes(12), sealed: bytes(SEED_BYTES + TAG_BYTES) }
const fileSchema = z.strictObject({ ...fileShape, checksum: z.string() })

export type Seal = Readonly<z.infer<typeof sealSchema>>
export type SigningKeysHead = Readonly<z.infer<z.ZodObject<typeof headShape>>>
export type SigningKeysFile = Readonly<z.infer<z.ZodObject<typeof fileShape>>>

/** Associated data of the seal: everything that is readable without opening. */
export function headBytes({ v, format, keys, fingerprint, seal }: SigningKeysHead): Bytes {
  return canonicalBytes({ v, format, keys, fingerprint, seal })
}

export function encodeSigningKeysFile(file: SigningKeysFile): Bytes {
  return canonicalBytes({ ...file, checksum: checksum(file) })
}

/** Undefined for anything but the bytes that `encodeSigningKeysFile` gives. */
export function parseSigningKeysFile(source: Uint8Array): SigningKeysFile | undefined {
  try {
    const { checksum: claimed, ...file } = fileSchema.parse(parseCanonical(source))
    const fingerprint = toHex(sha256(fromBase64(file.keys.mldsa65), fromBase64(file.keys.ed25519)))
    return claimed === checksum(file) && file.fingerprint === fingerprint ? file : undefined
  } catch {
    return undefined
  }
}

/** Against accidents, so that a damaged file is not taken for a wrong passphrase; against attackers the seal stands. */
function checksum(file: SigningKeysFile): string {
  return toHex(sha256(canonicalBytes({ ...file })))
}

function isBase64Of(text: string, length: number): boolean {
  try {
    return fromBase64(text).length === length
  } catch {
    return false
  }
}
