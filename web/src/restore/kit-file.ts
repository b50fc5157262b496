// A recovery kit as a person hands it to the page, as a ZIP file or as a folder: its facts, checked, and what is sealed in it.
import { Failure } from '#base'
import { type KitFacts, kitFacts, type KitSecrets, kitSecrets } from '#contract'
import { unzip } from './unzip.ts'

export interface OpenedKit {
  readonly facts: KitFacts
  /** Secrets, still sealed; undefined where there are none. */
  readonly sealed: Uint8Array<ArrayBuffer> | undefined
}

const FILE_BYTES_MAX = 32 * 2 ** 20

/** Throws `storage.kit`. */
export async function readKit(chosen: readonly File[]): Promise<OpenedKit> {
  const files = await filesOf(chosen)
  const where = [...files.keys()].find((name) => name === 'kit.json' || name.endsWith('/kit.json'))
  const below = where === undefined ? '' : where.slice(0, -'kit.json'.length)
  const facts = factsOf(where === undefined ? undefined : files.get(where))
  for (const [name, hash] of Object.entries(facts.files)) {
    const bytes = files.get(`${below}${name}`)
    if (bytes === undefined)
      throw new Failure('storage.kit', { detail: `${name} is missing in the kit`, culprits: [name], next: 'Choose the whole kit.' })
    if (hex(await crypto.subtle.digest('SHA-256', bytes)) === hash) continue
    throw new Failure('storage.kit', {
      detail: `${name} in the kit was changed since it was made`,
      culprits: [name],
      next: 'Take another copy of the kit.',
    })
  }
  return { facts, sealed: facts.sealed === null ? undefined : files.get(`${below}${facts.sealed.file}`) }
}

/** Opens the secrets with the identities of officers. Throws `crypto.passphrase` when none of them fits, `storage.kit`. */
export async function openSecrets({ facts, sealed }: OpenedKit, identities: string): Promise<KitSecrets> {
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  const officers = facts.sealed?.officers.map(({ name }) => name) ?? []
  const lines = identities.split(/\r?\n/).flatMap((line) => (line.trim().startsWith('AGE-SECRET-KEY-') ? [line.trim()] : []))
  let opened: string
  try {
    if (lines.length === 0 || sealed === undefined) throw new Error('no identity')
    for (const line of lines) decrypter.addIdentity(line)
    opened = await decrypter.decrypt(sealed, 'text')
  } catch {
    throw new Failure('crypto.passphrase', {
      detail: 'these identities do not open the secrets of the kit',
      culprits: officers,
      next: `They are sealed to ${officers.join(', ')}.`,
    })
  }
  const parsed = kitSecrets.safeParse(JSON.parse(opened))
  if (parsed.success) return parsed.data
  throw new Failure('storage.kit', { detail: 'the secrets of the kit are not as they are written' })
}

async function filesOf(chosen: readonly File[]): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const large = chosen.reduce((sum, { size }) => sum + size, 0) > FILE_BYTES_MAX
  if (large || chosen.length > 500)
    throw new Failure('storage.kit', { detail: 'this is too large to be a kit', next: 'Choose the ZIP file, or the folder of the kit.' })
  const [only] = chosen
  if (chosen.length === 1 && only !== undefined && only.name !== 'kit.json') return unzip(new Uint8Array(await only.arrayBuffer()))
  return new Map(
    await Promise.all(
      chosen.map(async (file) => [file.webkitRelativePath || file.name, new Uint8Array(await file.arrayBuffer())] as const),
    ),
  )
}

function factsOf(bytes: Uint8Array | undefined): KitFacts {
  try {
    return kitFacts.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch (error) {
    throw new Failure('storage.kit', {
      detail: 'there is no kit.json as a kit has it',
      next: 'Choose the ZIP file, or the folder of the kit.',
      cause: error,
    })
  }
}

function hex(digest: ArrayBuffer): string {
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
