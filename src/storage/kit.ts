// The recovery kit: the programs and pages that give files back without this machine, a sheet to print, and secrets sealed to named officers.
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Clock, Failure, rfc3339, toBase64, toHex, utf8 } from '#base'
import type { Kit, KitFacts, KitSecrets, LocationKind, Status } from '#contract'
import { sha256 } from '#crypto/primitives'
import { canonicalJson, dealerFingerprint } from '#format'
import { encodeKeys } from './head.ts'
import { kitSheet, kitStart } from './kit-sheet.ts'
import { formatLocation, type LocationConfig, parseLocation } from './locations/from-config.ts'
import { readPublicSigningKeys } from './signing-keys.ts'
import type { SiteCore } from './site-core.ts'
import type { StorageTables } from './tables.ts'

interface KitWish {
  readonly officers: readonly { readonly name: string; readonly recipient: string }[]
  readonly credentials: boolean
  readonly signingKeys: boolean
}

const PRODUCT = resolve(import.meta.dirname, '../..')
/** Where each file of a kit comes from. */
const STANDING = {
  'recover.py': 'recovery/recover.py',
  'recover.html': 'recovery/recover.html',
  'README.md': 'recovery/README.md',
  'spec/fragment.md': 'docs/spec/fragment.md',
  'spec/vault.md': 'docs/spec/vault.md',
  'spec/locations.md': 'docs/spec/locations.md',
  'spec/signing-keys.md': 'docs/spec/signing-keys.md',
} as const
const SECRETS_FILE = 'secrets.age'
/** Fields of descriptions that name files with secrets or what goes with them. */
export const SECRET_FIELDS: ReadonlySet<string> = new Set(['credentials', 'key', 'passphrase', 'password', 'ca', 'knownHosts'])
/** With one of these a location can be reached. */
const LOGIN_FIELDS: ReadonlySet<string> = new Set(['credentials', 'key', 'password'])
const VARIABLES: Readonly<Record<string, RegExp>> = {
  s3: /^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$/,
  azure: /^AZURE_STORAGE_/,
}
const SECRET_FILE_BYTES_MAX = 64 * 1024
/** Post-quantum recipients of age: all of them, or the seal is only as good as the weakest. */
const POST_QUANTUM = /^age1(?:pq|tagpq)1/

export async function makeKit(core: SiteCore, wish: KitWish): Promise<Kit> {
  const { vault, log } = core.open()
  const { row } = vault
  // The dealer of the sheet: where several sites write, the one who certified the others.
  const { root } = log.writers
  const wantsSecrets = wish.credentials || wish.signingKeys
  if (wantsSecrets && wish.officers.length === 0)
    throw new Failure('base.invalid', {
      detail: 'secrets go into a kit only sealed, and nobody is named who may open them',
      next: 'Name at least one officer with an age recipient.',
    })
  if (
    wish.officers.some(({ recipient }) => POST_QUANTUM.test(recipient)) &&
    !wish.officers.every(({ recipient }) => POST_QUANTUM.test(recipient))
  )
    throw new Failure('base.invalid', {
      detail: 'recipients with and without post-quantum keys cannot be mixed: the seal would be as weak as the weakest',
      culprits: wish.officers.filter(({ recipient }) => !POST_QUANTUM.test(recipient)).map(({ name }) => name),
      next: 'Ask them for an age1pq1... recipient, or make two kits.',
    })
  const locations = await core.db.kysely.selectFrom('location').selectAll().orderBy('x').execute()
  const notes: string[] = []
  const files = new Map<string, Uint8Array>()
  for (const [name, source] of Object.entries(STANDING)) files.set(name, await readFile(join(PRODUCT, source)))
  const contains: ('credentials' | 'signing-keys')[] = []
  if (wantsSecrets) {
    const secrets = await secretsOf(core, { ...wish, vault: row.vault, locations, notes })
    if (secrets.files.length + secrets.variables.length > 0) contains.push('credentials')
    if (secrets.signingKeys !== null) contains.push('signing-keys')
    if (contains.length > 0) files.set(SECRETS_FILE, await seal(utf8(JSON.stringify(secrets)), wish.officers))
  }
  const bare: Omit<KitFacts, 'files'> = {
    v: 1,
    kind: 'quorate kit',
    made: rfc3339(core.clock.now()),
    product: core.options.productVersion,
    vault: { id: row.vault, name: row.name, threshold: row.threshold, count: locations.length, layout: row.layout, created: row.created },
    dealer: { fingerprint: dealerFingerprint(root), ...encodeKeys(root) },
    locations: locations.map(kitLocation),
    sealed: contains.length === 0 ? null : { file: SECRETS_FILE, officers: [...wish.officers], contains },
  }
  files.set('dealer-keys.json', utf8(`${JSON.stringify(encodeKeys(root), undefined, 1)}\n`))
  files.set('sheet.html', utf8(kitSheet(bare)))
  files.set('START-HERE.txt', utf8(kitStart(bare)))
  const facts: KitFacts = { ...bare, files: Object.fromEntries([...files].map(([name, bytes]) => [name, toHex(sha256(bytes))])) }
  files.set('kit.json', utf8(`${JSON.stringify(facts, undefined, 1)}\n`))
  const state = await kitState(core)
  await core.db.transaction(async (tx) => {
    await tx.deleteFrom('kit').execute()
    await tx.insertInto('kit').values({ id: 1, made: facts.made, state }).execute()
  })
  core.changed()
  return { facts, files: [...files].map(([name, bytes]) => ({ name, data: toBase64(bytes) })), notes }
}

/** Says when the newest kit no longer tells how the vault is. */
export async function kitMessages(core: SiteCore): Promise<Status['messages']> {
  const standing = await core.db.kysely.selectFrom('kit').selectAll().executeTakeFirst()
  if (standing === undefined || standing.state === (await kitState(core))) return []
  return [
    {
      severity: 'warning',
      code: 'storage.kit',
      text: `The recovery kit of ${standing.made.slice(0, 10)} is out of date: locations, keys or the threshold changed since.`,
      next: 'Make a new one, print its sheet, and destroy the old one: quorate kit DIR',
    },
  ]
}

const YEAR_MS = 365 * 86_400_000

/** Says when a year has passed since the vault was last brought back on trial, or was made. */
export async function drillMessages(core: SiteCore, clock: Clock): Promise<Status['messages']> {
  const last = await core.db.kysely.selectFrom('drill').selectAll().executeTakeFirst()
  const since = last?.ended ?? core.open().vault.row.created
  if (clock.now() - Date.parse(since) < YEAR_MS) return []
  return [
    {
      severity: 'hint',
      code: 'storage.drill',
      text:
        last === undefined
          ? 'Nobody has ever tried whether this vault comes back.'
          : `The last recovery drill was on ${since.slice(0, 10)}.`,
      next: 'Try it with two people: quorate drill',
    },
  ]
}

async function kitState(core: SiteCore): Promise<string> {
  const { vault, log } = core.open()
  const { row } = vault
  const locations = await core.db.kysely.selectFrom('location').selectAll().orderBy('x').execute()
  const state = { dealer: dealerFingerprint(log.writers.root), k: row.threshold, layout: row.layout, locations: locations.map(kitLocation) }
  return canonicalJson(state)
}

function kitLocation({ location, x, label, kind, config }: StorageTables['location']): KitFacts['locations'][number] {
  return { location, x, label, kind, place: formatLocation(configOf(config)) }
}

function configOf(text: string): LocationConfig {
  return parseLocation(JSON.parse(text) as Record<string, unknown>)
}

async function secretsOf(
  core: SiteCore,
  wish: KitWish & { readonly vault: string; readonly locations: readonly StorageTables['location'][]; readonly notes: string[] },
): Promise<KitSecrets> {
  const files: KitSecrets['files'] = []
  const variables: KitSecrets['variables'] = []
  for (const { location, label, config } of wish.credentials ? wish.locations : []) {
    const fields = Object.entries(configOf(config)).filter(([field]) => SECRET_FIELDS.has(field))
    for (const [field, path] of fields) {
      if (typeof path !== 'string') continue
      const data = await smallFile(path)
      if (data === undefined) wish.notes.push(`${label}: the file named by ${field} could not be read and is not in the kit.`)
      else files.push({ location, field, data: toBase64(data) })
    }
    const { kind } = configOf(config)
    if (kind === 'folder') continue
    const named = new Set(fields.map(([field]) => field))
    for (const { field, data } of await fromVariables(kind, core.options.variables)) {
      if (!named.has(field)) files.push({ location, field, data: toBase64(data) })
      named.add(field)
    }
    const pattern = VARIABLES[kind]
    if (pattern !== undefined && !named.has('credentials')) {
      const values = Object.fromEntries(
        Object.entries(core.options.variables).filter(
          (entry): entry is [string, string] => pattern.test(entry[0]) && entry[1] !== undefined,
        ),
      )
      if (Object.keys(values).length > 0) {
        variables.push({ location, values })
        named.add('credentials')
      }
    }
    if (![...named].some((field) => LOGIN_FIELDS.has(field)))
      wish.notes.push(`${label}: no access key was found, neither in a file nor in variables.`)
  }
  return {
    v: 1,
    kind: 'quorate kit secrets',
    vault: wish.vault,
    files,
    variables,
    signingKeys: wish.signingKeys ? await signingKeys(core) : null,
  }
}

/** What stands in variables of this kind, as the files that the description would name instead. */
async function fromVariables(
  kind: LocationKind,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly field: string; readonly data: Uint8Array }[]> {
  const given = (name: string): string | undefined => variables[name] || undefined
  const line = (field: string, name: string): { field: string; data: Uint8Array }[] => {
    const value = given(name)
    return value === undefined ? [] : [{ field, data: utf8(`${value}\n`) }]
  }
  switch (kind) {
    case 'sftp':
      return [...line('passphrase', 'QUORATE_SFTP_PASSPHRASE'), ...line('password', 'QUORATE_SFTP_PASSWORD')]
    case 'webdav': {
      const fields = ['user', 'password', 'token'].flatMap((name) => {
        const value = given(`QUORATE_WEBDAV_${name.toUpperCase()}`)
        return value === undefined ? [] : [[name, value] as const]
      })
      return fields.length === 0 ? [] : [{ field: 'credentials', data: utf8(JSON.stringify(Object.fromEntries(fields))) }]
    }
    case 'gcs': {
      const path = given('GOOGLE_APPLICATION_CREDENTIALS')
      const data = path === undefined ? undefined : await smallFile(path)
      return data === undefined ? [] : [{ field: 'credentials', data }]
    }
    case 'folder':
    case 's3':
    case 'azure':
      return []
    default:
      return kind satisfies never
  }
}

async function signingKeys(core: SiteCore): Promise<KitSecrets['signingKeys']> {
  const { home } = core.options
  const file = await smallFile(join(home, 'signing-keys.json'))
  if (file === undefined) throw new Failure('storage.no-vault', { detail: 'there are no signing keys in the home' })
  const { sealedUnder } = await readPublicSigningKeys({ home })
  const keyFile = sealedUnder === 'key-file' ? await smallFile(join(home, 'signing.key')) : undefined
  return { file: toBase64(file), keyFile: keyFile === undefined ? null : toBase64(keyFile) }
}

async function smallFile(path: string): Promise<Uint8Array | undefined> {
  try {
    return (await stat(path)).size > SECRET_FILE_BYTES_MAX ? undefined : await readFile(path)
  } catch {
    return undefined
  }
}

async function seal(bytes: Uint8Array, officers: KitWish['officers']): Promise<Uint8Array> {
  // Loaded by whoever makes a kit: it takes 15 MB of memory.
  const { Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  for (const { name, recipient } of officers) {
    try {
      encrypter.addRecipient(recipient)
    } catch (error) {
      throw new Failure('base.invalid', { detail: `the recipient of ${name} is not one that age knows`, culprits: [name], cause: error })
    }
  }
  return encrypter.encrypt(bytes)
}
