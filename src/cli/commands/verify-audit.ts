// verify-audit: proves a copied audit log, or one receipt, from its files alone. Needs no site and no network.
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Failure, isFailure, toHex } from '#base'
import { linesOf } from '#contract'
import {
  NOTE_BYTES_MAX,
  parseKey,
  parseLeaf,
  parsePersonalLine,
  type PersonalLine,
  PERSONAL_LINE_BYTES_MAX,
  RECEIPT_BYTES_MAX,
  type SignedCheckpoint,
  type VerifierKey,
  verifyCheckpoint,
  verifyLog,
  verifyReceipt,
} from '#format/log'
import { EXIT } from '../exit-codes.ts'
import type { Host } from '../host.ts'
import { localFailure, systemCode } from '../local-failure.ts'
import type { Output } from '../output.ts'
import type { VerifyAuditOptions } from '../program-audit.ts'
import { printable } from '../words.ts'

/** Of a full bundle with the longest entries that its format knows. */
const TILE_BYTES_MAX = 256 * 65_537
const KEYS_BYTES_MAX = 65_536

interface Tools {
  readonly host: Host
  readonly out: Output
}

/** 0: everything is proven under the given keys. 3: everything fits together, but no key was given. 1: something is wrong. */
export async function verifyAudit(tools: Tools, typed: string, options: VerifyAuditOptions): Promise<number> {
  const place = resolve(tools.host.folder, typed)
  const given = await keysOf(tools, options.keys)
  let isFolder: boolean
  try {
    isFolder = (await stat(place)).isDirectory()
  } catch (error) {
    throw localFailure(error, 'read', place)
  }
  return isFolder ? verifyFolder(tools, place, given, options) : verifyOne(tools, place, given)
}

async function verifyFolder(
  { host, out }: Tools,
  folder: string,
  given: readonly VerifierKey[],
  options: VerifyAuditOptions,
): Promise<number> {
  const keys = given.length > 0 ? given : parseKeys(await needed(join(folder, 'vkeys'), KEYS_BYTES_MAX))
  const head = verifyCheckpoint(await needed(join(folder, 'checkpoint'), NOTE_BYTES_MAX), keys)
  const since =
    options.since === undefined ? undefined : verifyCheckpoint(await needed(resolve(host.folder, options.since), NOTE_BYTES_MAX), keys)
  if (since !== undefined && since.origin !== head.origin)
    throw new Failure('cli.usage', { detail: `The older head is of another log: ${since.origin}, not ${head.origin}.` })
  const meter = out.meter()
  const kinds = new Map<string, number>()
  const verdict = await verifyLog({
    files: { read: (path) => readOptional(join(folder, path), TILE_BYTES_MAX) },
    head,
    since,
    personal: options.personal === undefined ? undefined : personalLines(resolve(host.folder, options.personal)),
    entry: ({ kind, outcome }) => void kinds.set(`${kind} ${outcome}`, (kinds.get(`${kind} ${outcome}`) ?? 0) + 1),
    progress: (done) => meter.show(`${done} of ${head.size} entries`),
    signal: host.signal,
  })
  await meter.close()
  const { problem } = verdict
  await out.value({
    proven: problem === undefined && given.length > 0,
    origin: head.origin,
    size: head.size,
    root: toHex(head.root),
    signers: signersOf(head),
    keysGiven: given.length > 0,
    since: since?.size ?? null,
    ...verdict,
    problem: problem ?? null,
    kinds: Object.fromEntries(kinds),
  })
  if (problem !== undefined) {
    await out.line(
      `WRONG, ${problem.first === problem.last ? `entry ${problem.first}` : `entries ${problem.first} to ${problem.last}`}: ${printable(problem.detail)}.`,
    )
    await out.line(
      problem.first > 0 && problem.what !== 'head' && problem.what !== 'since'
        ? `The ${problem.first} entries before fit together; that they are those that were signed is proven only by the whole log.`
        : 'Nothing in this copy is proven.',
    )
    return EXIT.failed
  }
  await out.line(`The log ${head.origin} with ${head.size} entries is whole: every entry is the one that was signed.`)
  for (const line of sayHead(head)) await out.line(line)
  if (since !== undefined)
    await out.line(`It begins with the ${since.size} entries of the older head: none of them was changed, removed or added since.`)
  if (options.personal !== undefined)
    await out.line(
      `Names and paths: ${verdict.opened} are those that were written, ${verdict.erased} are erased, ${head.size - verdict.opened - verdict.erased} are not in the file.`,
    )
  await out.line('It proves that nothing was changed after it was written; not that everything that happened was written.')
  if (given.length > 0) return EXIT.done
  await out.line('NOT PROVEN WHOSE: the keys are those that lie beside the log. Give the key that you noted from the site with --key.')
  return EXIT.degraded
}

async function verifyOne({ out }: Tools, path: string, given: readonly VerifierKey[]): Promise<number> {
  if (given.length === 0)
    throw new Failure('cli.usage', {
      detail: 'A receipt is verified under a key of the log.',
      next: 'Give it with --key, as quorate audit status --json shows it.',
    })
  const { entry, index, checkpoint } = verifyReceipt(await needed(path, RECEIPT_BYTES_MAX), given)
  const leaf = parseLeaf(entry)
  if (leaf.index !== index)
    throw new Failure('audit.proof', { detail: `The entry says that it is number ${leaf.index}, the proof says ${index}.` })
  await out.value({ proven: true, origin: checkpoint.origin, size: checkpoint.size, signers: signersOf(checkpoint), entry: leaf })
  await out.line(`Entry ${index} is in the log ${checkpoint.origin}: ${leaf.kind}, ${leaf.outcome}, ${leaf.at}, by ${leaf.actor}.`)
  for (const line of sayHead(checkpoint)) await out.line(line)
  return EXIT.done
}

function sayHead(head: SignedCheckpoint): string[] {
  return [
    `root ${toHex(head.root)}`,
    ...head.signers.map(
      ({ key, time }) =>
        `signed by ${printable(key.name)}+${key.id} (${key.type === 1 ? 'Ed25519' : 'ML-DSA-44'})${time === undefined ? '' : ` at ${new Date(time * 1000).toISOString()}`}`,
    ),
  ]
}

function signersOf(head: SignedCheckpoint): object[] {
  return head.signers.map(({ key, time }) => ({ name: key.name, id: key.id, type: key.type, time: time ?? null }))
}

async function keysOf({ host }: Tools, typed: readonly string[]): Promise<readonly VerifierKey[]> {
  const keys: VerifierKey[] = []
  for (const one of typed) {
    if (one.includes('+')) keys.push(...parseKeys(new TextEncoder().encode(one)))
    else keys.push(...parseKeys(await needed(resolve(host.folder, one), KEYS_BYTES_MAX)))
  }
  return keys
}

function parseKeys(bytes: Uint8Array): VerifierKey[] {
  const lines = new TextDecoder()
    .decode(bytes)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  try {
    return lines.map(parseKey)
  } catch (error) {
    if (isFailure(error, 'audit.framing'))
      throw new Failure('cli.usage', {
        detail: 'This is no key of an audit log.',
        next: 'Take it from: quorate audit status --json',
        cause: error,
      })
    throw error
  }
}

async function* personalLines(path: string): AsyncGenerator<PersonalLine> {
  try {
    for await (const line of linesOf(createReadStream(path), PERSONAL_LINE_BYTES_MAX)) yield parsePersonalLine(line)
  } catch (error) {
    throw localFailure(error, 'read', path)
  }
}

async function needed(path: string, bytesMax: number): Promise<Uint8Array> {
  const bytes = await readOptional(path, bytesMax)
  if (bytes === undefined) throw new Failure('cli.file', { detail: `Cannot read ${path}: there is no such file.`, culprits: [path] })
  return bytes
}

/** Undefined where there is no such file. One that is longer than it can be is refused before it is read. */
export async function readOptional(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      if (size > bytesMax) throw new Failure('audit.framing', { detail: `${path} is longer than such a file can be.`, culprits: [path] })
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw localFailure(error, 'read', path)
  }
}
