// What an Azure container is opened with: the key of the account, or a shared access signature. From a file or from AZURE_STORAGE_* variables.
import { Failure, SecretBytes, utf8 } from '#base'
import { type Fields, readSecretFile, tablesOf } from '../key-file.ts'
import type { Cached } from '../web/cached.ts'

export type AzureCredentials =
  | { readonly kind: 'key'; readonly account: string | undefined; readonly key: SecretBytes }
  /** The query string of the signature, without a leading `?`. */
  | { readonly kind: 'sas'; readonly signature: SecretBytes }

export type AzureCredentialsProvider = Cached<AzureCredentials>

/** Reads a file that holds a connection string, a signature, or fields `account` and `key`, `sas_token` or `connection_string`. */
export async function readAzureFile(
  path: string,
  options: { readonly label: string; readonly profile?: string | undefined },
): Promise<AzureCredentials> {
  const text = await readSecretFile(path, (why) => refused(options.label, why))
  const credentials = parseAzureFile(text, options.profile)
  if (credentials === undefined) throw refused(options.label, 'holds no key')
  return credentials
}

/** The credentials in the text of a file, or undefined when it holds none. */
export function parseAzureFile(text: string, profile?: string): AzureCredentials | undefined {
  const line = text.trim()
  if (profile === undefined && !line.includes('\n') && line.length > 0) {
    const bare = ofConnectionString(line) ?? ofSignature(line)
    if (bare !== undefined) return bare
  }
  const tables = tablesOf(text)
  return credentialsFrom(tables.get(profile ?? 'default') ?? (profile === undefined ? tables.get('') : undefined) ?? new Map())
}

/** AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_SAS_TOKEN, or AZURE_STORAGE_KEY with AZURE_STORAGE_ACCOUNT. */
export function azureFromEnvironment(variables: Readonly<Record<string, string | undefined>>, label: string): AzureCredentials {
  const named = Object.entries(variables).flatMap(([name, value]) =>
    name.startsWith('AZURE_STORAGE_') && value !== undefined ? [[fieldOf(name), value] as const] : [],
  )
  const credentials = credentialsFrom(new Map(named))
  if (credentials !== undefined) return credentials
  throw new Failure('location.denied', {
    detail: `There is no key for ${label}.`,
    next: 'Set AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_KEY, or name a file with credentials=FILE.',
    culprits: [label],
  })
}

function credentialsFrom(given: Fields): AzureCredentials | undefined {
  const fields = new Map([...given].map(([name, value]) => [fieldOf(name), value.trim()]))
  const connection = fields.get('connectionstring')
  if (connection !== undefined && connection !== '') return ofConnectionString(connection)
  const signature = fields.get('sastoken') ?? fields.get('sas') ?? fields.get('sharedaccesssignature')
  if (signature !== undefined && signature !== '') return ofSignature(signature)
  const key = fields.get('key') ?? fields.get('accountkey') ?? fields.get('accesskey')
  return key === undefined ? undefined : ofKey(key, fields.get('account') ?? fields.get('accountname'))
}

/** `AccountName=...;AccountKey=...` or `...;SharedAccessSignature=...`. Its addresses are not used: the location is where it is described to be. */
function ofConnectionString(text: string): AzureCredentials | undefined {
  const fields = new Map(
    text.split(';').flatMap((pair) => {
      const at = pair.indexOf('=')
      return at <= 0 ? [] : [[pair.slice(0, at).trim().toLowerCase(), pair.slice(at + 1).trim()] as const]
    }),
  )
  const signature = fields.get('sharedaccesssignature')
  if (signature !== undefined) return ofSignature(signature)
  const key = fields.get('accountkey')
  return key === undefined ? undefined : ofKey(key, fields.get('accountname'))
}

function ofSignature(text: string): AzureCredentials | undefined {
  const query = text.replace(/^\?/, '')
  if (query.length > 4096 || !/^[\x21-\x7e]+$/.test(query) || !new URLSearchParams(query).has('sig')) return undefined
  return { kind: 'sas', signature: new SecretBytes(utf8(query)) }
}

function ofKey(text: string, account: string | undefined): AzureCredentials | undefined {
  if (!/^[A-Za-z0-9+/]{16,512}={0,2}$/.test(text)) return undefined
  if (account !== undefined && !/^[a-z0-9]{3,24}$/.test(account)) return undefined
  const bytes = Buffer.from(text, 'base64')
  const key = new SecretBytes(bytes)
  bytes.fill(0)
  return { kind: 'key', account, key }
}

/** `AZURE_STORAGE_SAS_TOKEN`, `sas_token` and `sasToken` are one field. */
function fieldOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll('_', '')
    .replace(/^azurestorage/, '')
}

function refused(label: string, why: string): Failure {
  return new Failure('location.denied', {
    detail: `The file with the key for ${label} ${why}.`,
    next: 'It holds a connection string, a shared access signature, or account and key as TOML or JSON.',
    culprits: [label],
  })
}
