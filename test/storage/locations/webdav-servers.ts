// Locations on the WebDAV servers that the test command has started, each in a folder of its own.
import { randomBytes } from 'node:crypto'
import { SecretBytes, utf8 } from '#base'
import type { Location } from '../../../src/storage/location.ts'
import type { WebdavCredentials } from '../../../src/storage/locations/webdav/credentials.ts'
import { type WebdavLocationOptions, createWebdavLocation } from '../../../src/storage/locations/webdav/webdav.ts'

/** As the scripts in test/servers set them. */
export const WEBDAV_USER = { user: 'quorate', password: 'webdavsecret' }

export function basic(user: string, password: string): WebdavCredentials {
  return { authorization: new SecretBytes(utf8(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)) }
}

const RIGHT = basic(WEBDAV_USER.user, WEBDAV_USER.password)

/** Makes a new folder on the server; answers its path. */
export async function webdavFolder(endpoint: string): Promise<string> {
  const path = `vault/${randomBytes(8).toString('hex')}`
  const headers = { authorization: Buffer.from(RIGHT.authorization.reveal()).toString() }
  const answer = await fetch(`${endpoint}/${path}/`, { method: 'MKCOL', headers: { ...headers, connection: 'close' } })
  await answer.body?.cancel()
  if (answer.status !== 201) throw new Error(`MKCOL answered ${answer.status}`)
  return path
}

/** A location in a new folder of the server. */
export async function webdavLocationOn(endpoint: string, options: Partial<WebdavLocationOptions> = {}): Promise<Location> {
  const path = options.path ?? (await webdavFolder(endpoint))
  return createWebdavLocation({ label: 'far', endpoint, credentials: async () => RIGHT, ...options, path })
}
