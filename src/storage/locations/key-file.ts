// Access keys from a file (TOML, JSON, or the INI of the AWS tools) or from AWS_* variables.
import { readFile, stat } from 'node:fs/promises'
import { parse as parseToml } from 'smol-toml'
import { Failure, SecretBytes, utf8 } from '#base'
import type { S3Credentials } from './s3/credentials.ts'

const FILE_BYTES_MAX = 64 * 1024

/** Reads the key of a section (`profile`) or, without sections, of the whole file. Failures never quote the file. */
export async function readKeyFile(
  path: string,
  options: { readonly label: string; readonly profile?: string | undefined },
): Promise<S3Credentials> {
  const text = await readSecretFile(path, (why) => refused(options.label, why))
  const credentials = parseKeyFile(text, options.profile)
  if (credentials === undefined) throw refused(options.label, 'holds no access key')
  return credentials
}

/** The text of a file with secrets, without a byte order mark. What is wrong with it is told by `refused`, which never quotes it. */
export async function readSecretFile(path: string, refused: (why: string) => Failure): Promise<string> {
  try {
    if ((await stat(path)).size > FILE_BYTES_MAX) throw refused('is too large')
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
  } catch (error) {
    if (error instanceof Failure) throw error
    throw refused('cannot be read')
  }
}

/** The key in the text of a file, or undefined when it holds none. */
export function parseKeyFile(text: string, profile?: string): S3Credentials | undefined {
  const tables = tablesOf(text.replace(/^\uFEFF/, ''))
  return credentialsFrom(tables.get(profile ?? 'default') ?? (profile === undefined ? tables.get('') : undefined) ?? new Map())
}

/** The key in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. */
export function keyFromEnvironment(environment: Readonly<Record<string, string | undefined>>, label: string): S3Credentials {
  const fields = new Map(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[fieldOf(name), value] as const])),
  )
  const credentials = credentialsFrom(fields)
  if (credentials !== undefined) return credentials
  throw new Failure('location.denied', {
    detail: `There is no access key for ${label}.`,
    next: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file with credentials=FILE.',
    culprits: [label],
  })
}

/** By name, lower case, without `_`. */
export type Fields = Map<string, string>

function credentialsFrom(fields: Fields): S3Credentials | undefined {
  const id = fields.get('accesskeyid')
  const secret = fields.get('secretaccesskey')
  const token = fields.get('sessiontoken')
  if (id === undefined || secret === undefined || !/^[\x21-\x7e]{1,256}$/.test(id) || secret === '') return undefined
  if (token !== undefined && !/^[\x21-\x7e]*$/.test(token)) return undefined
  return {
    accessKeyId: id,
    secretAccessKey: new SecretBytes(utf8(secret)),
    ...(token === undefined || token === '' ? {} : { sessionToken: new SecretBytes(utf8(token)) }),
  }
}

/** Fields of a TOML, JSON or INI text by section; '' is what stands outside of sections. */
export function tablesOf(text: string): Map<string, Fields> {
  if (text.trimStart().startsWith('{')) return tablesOfRecord(jsonOf(text))
  try {
    return tablesOfRecord(parseToml(text))
  } catch {
    // The AWS tools write values without quotes, which is not TOML.
    return tablesOfIni(text)
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function tablesOfRecord(record: unknown): Map<string, Fields> {
  const tables = new Map<string, Fields>([['', new Map()]])
  if (typeof record !== 'object' || record === null) return tables
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === 'string') tables.get('')!.set(fieldOf(name), value)
    else if (typeof value === 'object' && value !== null) {
      const strings = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
      if (name !== '') tables.set(name, new Map(strings.map(([inner, text]) => [fieldOf(inner), text])))
    }
  }
  return tables
}

function tablesOfIni(text: string): Map<string, Fields> {
  const tables = new Map<string, Fields>([['', new Map()]])
  let fields = tables.get('')!
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]\s*$/.exec(line)
    if (section !== null) {
      fields = tables.get(section[1]!) ?? new Map<string, string>()
      tables.set(section[1]!, fields)
      continue
    }
    const pair = /^\s*([A-Za-z_]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (pair !== null) fields.set(fieldOf(pair[1]!), pair[2]!)
  }
  return tables
}

/** `aws_access_key_id`, `AccessKeyId` and `accessKeyId` are one field. */
function fieldOf(name: string): string {
  return name.toLowerCase().replaceAll('_', '').replace(/^aws/, '')
}

function refused(label: string, why: string): Failure {
  return new Failure('location.denied', {
    detail: `The file with the access key for ${label} ${why}.`,
    next: 'It holds access_key_id and secret_access_key as TOML, JSON, or in the form of the AWS tools.',
    culprits: [label],
  })
}
