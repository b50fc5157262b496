// Which database the sites of a test use: a file in their home, or a schema of the real PostgreSQL when the test asks for it.
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabasePlace } from '#database'

let url: string | undefined

/** From here on in this process. */
export function usePostgres(address: string): void {
  url = address
}

/** A home that was lost has lost its database too: which one it was stands in the home only. */
export async function databaseOf(home: string): Promise<DatabasePlace | undefined> {
  if (url === undefined) return undefined
  const note = join(home, 'schema')
  let schema = await readFile(note, 'utf8').catch(() => undefined)
  if (schema === undefined) {
    schema = `t_${randomBytes(8).toString('hex')}`
    await writeFile(note, schema)
  }
  return { postgres: { url, schema } }
}
