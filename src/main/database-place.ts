// Which database a home uses: the file in it, or the PostgreSQL it was told to use once, which is then written down in the home. A home never
// changes its database by accident: an empty one beside a full one would look like a site without a vault.
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure } from '#base'
import type { DatabasePlace } from '#database'

export interface DatabaseRequest {
  /** QUORATE_DATABASE: `postgres://user@host:port/database`, `?schema=` another than `quorate`, `?ca=FILE` for TLS. */
  readonly database: string | undefined
  /** QUORATE_DATABASE_PASSWORD_FILE. */
  readonly databasePasswordFile: string | undefined
}

const note = z.strictObject({ url: z.string(), schema: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), ca: z.string().optional() })
type Note = z.infer<typeof note>

const SECRET_BYTES_MAX = 4096
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\]|)$/

export async function databasePlace(home: string, request: DatabaseRequest): Promise<DatabasePlace> {
  const file = join(home, 'site.sqlite')
  const kept = join(home, 'database.json')
  const known = await readNote(kept)
  const wanted = request.database === undefined ? undefined : parseAddress(request.database)
  if (known === undefined && wanted === undefined) return { file }
  if (known === undefined && existsSync(file))
    throw refused(
      'QUORATE_DATABASE is set, but this home keeps its rows in a file of its own.',
      'Unset it, or recover the vault into an empty home.',
    )
  if (known !== undefined && wanted !== undefined && (known.url !== wanted.url || known.schema !== wanted.schema))
    throw refused('QUORATE_DATABASE names another database than the one this home has used so far.', 'Unset it, or use another home.')
  const chosen = wanted ?? known!
  const password = request.databasePasswordFile === undefined ? undefined : await readPassword(request.databasePasswordFile)
  const ca = chosen.ca === undefined ? undefined : await readAuthorities(chosen.ca)
  if (known === undefined || JSON.stringify(known) !== JSON.stringify(chosen)) {
    await writeFile(`${kept}.new`, `${JSON.stringify(chosen)}\n`, { mode: 0o600 })
    await rename(`${kept}.new`, kept)
  }
  return { postgres: { url: chosen.url, schema: chosen.schema, password, ca } }
}

async function readNote(path: string): Promise<Note | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return note.parse(JSON.parse(text))
  } catch {
    throw refused('The note of this home about its database cannot be read.', 'Set it right: database.json holds {"url", "schema"}.')
  }
}

/** Never repeats what was written, which may hold a password. */
function parseAddress(text: string): Note {
  const form = 'Write postgres://user@host:port/database, the password in a file that QUORATE_DATABASE_PASSWORD_FILE names.'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^postgres(?:ql)?:$/.test(url.protocol)) throw refused('QUORATE_DATABASE is no address of PostgreSQL.', form)
  if (url.password !== '') throw refused('QUORATE_DATABASE holds a password, which lists of processes show.', form)
  const schema = url.searchParams.get('schema') ?? 'quorate'
  const ca = url.searchParams.get('ca') ?? undefined
  for (const name of url.searchParams.keys())
    if (name !== 'schema' && name !== 'ca') throw refused('QUORATE_DATABASE has an unknown parameter.', form)
  if (ca === undefined && !LOOPBACK.test(url.hostname))
    throw refused('Names and folders would cross the network in clear.', 'Add ?ca=FILE with the certificate authority of the server.')
  url.search = ''
  const parsed = note.safeParse({ url: url.toString(), schema, ...(ca === undefined ? {} : { ca }) })
  if (!parsed.success) throw refused('The schema is a short name of small letters, digits and _.', form)
  return parsed.data
}

async function readPassword(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined || text.length > SECRET_BYTES_MAX)
    throw refused('The file with the password of the database cannot be read.', 'Name a small file that the site may read.')
  return text.replace(/\r?\n$/, '')
}

async function readAuthorities(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw refused(
    'The file of certificate authorities for the database cannot be read or holds no certificate.',
    'Name a file of PEM certificates.',
  )
}

function refused(detail: string, next: string): Failure {
  return new Failure('main.config', { detail, next })
}
