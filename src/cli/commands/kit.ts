// kit: everything that gives files back without this machine, written into a folder.
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Failure, fromBase64 } from '#base'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { localFailure } from '../local-failure.ts'
import { printable, sentence } from '../words.ts'

export interface KitOptions {
  /** `NAME=age1...` */
  readonly officers: readonly string[]
  readonly credentials: boolean
  readonly signingKeys: boolean
}

export async function kit(context: Context, typed: string, options: KitOptions): Promise<number> {
  const officers = options.officers.map(officerOf)
  const folder = resolve(context.host.folder, typed)
  await makeEmptyFolder(folder)
  const { credentials, signingKeys } = options
  const made = await context.client.makeKit({ officers, credentials, signingKeys }, { signal: context.signal })
  for (const { name, data } of made.files) {
    const path = join(folder, ...safeName(name))
    try {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, fromBase64(data), { flag: 'wx', mode: 0o600 })
    } catch (error) {
      throw localFailure(error, 'write', path)
    }
  }
  await context.out.value({ folder, facts: made.facts, notes: made.notes })
  const { sealed, locations } = made.facts
  await context.out.line(
    `The recovery kit is in ${printable(folder)}: begin with START-HERE.txt, print sheet.html, keep a copy away from this machine.`,
  )
  await context.out.line(
    sealed === null
      ? `It holds no secret. Access keys of its ${locations.length} locations are kept elsewhere.`
      : `secrets.age holds ${sealed.contains.join(' and ')}, sealed to ${sealed.officers.map(({ name }) => printable(name)).join(', ')}.`,
  )
  for (const note of made.notes) await context.out.line(`Note: ${printable(sentence(note))}`)
  return made.notes.length > 0 ? EXIT.degraded : EXIT.done
}

function officerOf(typed: string): { name: string; recipient: string } {
  const at = typed.lastIndexOf('=')
  if (at > 0 && typed.slice(at + 1).startsWith('age1')) return { name: typed.slice(0, at), recipient: typed.slice(at + 1) }
  throw new Failure('cli.usage', {
    detail: 'An officer is named as NAME=age1...',
    next: 'The recipient is what age-keygen shows as public key.',
  })
}

async function makeEmptyFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const standing = await readdir(folder)
    if (standing.length > 0)
      throw new Failure('cli.file', {
        detail: `${folder} is not empty.`,
        next: 'Name a new folder: an old kit is not mixed with a new one.',
        culprits: [folder],
      })
    await chmod(folder, 0o700)
  } catch (error) {
    throw localFailure(error, 'write', folder)
  }
}

/** Names come from the site; they never leave the folder. */
function safeName(name: string): string[] {
  const parts = name.split('/')
  if (parts.every((part) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/.test(part))) return parts
  throw new Failure('cli.file', { detail: 'The site named a file of the kit that cannot be written.' })
}
