// deletion verify: is this record genuine, and what does it say. Needs no site and no network.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { concat, Failure } from '#base'
import { EXIT } from '../exit-codes.ts'
import type { Host } from '../host.ts'
import type { Output } from '../output.ts'
import { counted, printable, table } from '../words.ts'

const BYTES_MAX = 2 ** 24

export async function verifyRecord(
  { host, out }: { readonly host: Host; readonly out: Output },
  file: string,
  options: { readonly dealer: string | undefined },
): Promise<number> {
  const bytes = file === '-' ? await fromInput(host) : await fromFile(resolve(host.folder, file))
  const found = await host.verifyDeletion(bytes)
  const wanted = options.dealer?.toLowerCase().replace(/[\s:-]/g, '')
  if (wanted !== undefined && wanted !== found.dealer)
    throw new Failure('format.signature', {
      detail: 'the record is signed by other keys than those of that fingerprint',
      culprits: [found.dealer],
      next: 'Compare the fingerprint with the recovery sheet of the vault.',
    })
  await out.value({ ...found, dealerKnown: wanted !== undefined })
  await out.line(`${printable(found.path)}: deleted by ${printable(found.by)} at ${found.at}; both signatures verify`)
  await out.line(
    `${counted(found.dealings, 'dealing')} of vault ${found.vault}${found.stillNamed > 0 ? `; ${found.stillNamed} more stay, since other names need them` : ''}`,
  )
  for (const line of table(found.answers.map((one) => [`  ${printable(one.location)}`, one.answer, counted(one.fragments, 'fragment')])))
    await out.line(line)
  await out.line(found.state === 'closed' ? 'closed: nothing is awaited' : `open on ${found.written}: some answers are awaited`)
  if (wanted === undefined) await out.line(`signed by ${found.dealer}: compare it with the recovery sheet, or give --dealer`)
  return found.state === 'closed' ? EXIT.done : EXIT.degraded
}

async function fromFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new Failure('cli.file', { detail: `${path} could not be read`, cause: error })
  }
}

async function fromInput(host: Host): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of host.input) {
    length += part.length
    if (length > BYTES_MAX) throw new Failure('cli.file', { detail: 'standard input is too long for a record' })
    parts.push(part.slice())
  }
  return concat(...parts)
}
