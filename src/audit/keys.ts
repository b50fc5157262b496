// The keys of the log in the home: made with the log, for its person only, never replaced by a start (docs/spec/audit.md).
import { join } from 'node:path'
import { type Bytes, Failure, fromBase64, toBase64, toHex } from '#base'
import { random, sha256 } from '#crypto/primitives'
import { canonicalBytes, parseCanonical } from '#format'
import { type CheckpointSigner, encodeKey, logSigners, type VerifierKey } from '#format/log'
import { z } from 'zod'
import { readSmallFile, replaceFile } from './files.ts'

export interface LogKeys {
  /** Which log: random, so that no two have one name. */
  readonly origin: string
  /** Counts the logs of a site; another begins only where the one before cannot be continued. */
  readonly generation: number
  readonly signers: readonly CheckpointSigner[]
  readonly keys: readonly VerifierKey[]
  /** The keys as auditors keep them, one a line. */
  readonly vkeys: string
}

const SEED_BYTES = 32
const FILE_BYTES_MAX = 4096
const FORMAT = 'quorate audit keys'

const seed = z.string().refine((text) => isSeed(text))
const shape = {
  v: z.literal(1),
  format: z.literal(FORMAT),
  origin: z.string().regex(/^quorate\/log\/[0-9a-f]{32}$/),
  generation: z.int().min(1),
  seeds: z.strictObject({ ed25519: seed, mldsa44: seed }),
}
const schema = z.strictObject({ ...shape, checksum: z.string() })

export function keysPath(home: string): string {
  return join(home, 'audit-keys.json')
}

/** Undefined where there are none. `audit.key` for a file that is damaged. */
export async function readKeys(home: string): Promise<LogKeys | undefined> {
  const path = keysPath(home)
  const bytes = await readSmallFile(path, FILE_BYTES_MAX)
  if (bytes === undefined) return undefined
  try {
    const { checksum, ...file } = schema.parse(parseCanonical(bytes))
    bytes.fill(0)
    if (checksum === checksumOf(file)) return keysOf(file)
  } catch {
    // A file that is no such file is said below, without what stands in it.
  }
  throw new Failure('audit.key', {
    detail: `The file of the keys of the audit log is damaged: ${path}`,
    next: 'Put back a copy of the file.',
    culprits: [path],
  })
}

/** New keys of a new log, durable when this resolves. */
export async function makeKeys(home: string, generation: number): Promise<LogKeys> {
  const seeds = { ed25519: random(SEED_BYTES), mldsa44: random(SEED_BYTES) }
  const file = {
    v: 1 as const,
    format: FORMAT as typeof FORMAT,
    origin: `quorate/log/${toHex(random(16))}`,
    generation,
    seeds: { ed25519: toBase64(seeds.ed25519), mldsa44: toBase64(seeds.mldsa44) },
  }
  await replaceFile(keysPath(home), canonicalBytes({ ...file, checksum: checksumOf(file) }))
  return keysOf(file)
}

type KeysFile = z.infer<z.ZodObject<typeof shape>>

function keysOf({ origin, generation, seeds }: KeysFile): LogKeys {
  const signers = logSigners(origin, { ed25519: seedOf(seeds.ed25519), mldsa44: seedOf(seeds.mldsa44) })
  const keys = signers.map(({ key }) => key)
  return { origin, generation, signers, keys, vkeys: keys.map((key) => `${encodeKey(key)}\n`).join('') }
}

function seedOf(text: string): Bytes {
  return fromBase64(text)
}

/** Against accidents only. */
function checksumOf(file: KeysFile): string {
  return toHex(sha256(canonicalBytes(file)))
}

function isSeed(text: string): boolean {
  try {
    return fromBase64(text).length === SEED_BYTES
  } catch {
    return false
  }
}
