// Locations on the OpenSSH server that the test command has started, each in a folder of its own.
import { mkdir } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import type { Location } from '../../../src/storage/location.ts'
import { type LocationConfig, parseLocation } from '../../../src/storage/locations/config.ts'
import { loginFrom } from '../../../src/storage/locations/sftp/login.ts'
import { type SftpLocationOptions, createSftpLocation } from '../../../src/storage/locations/sftp/sftp.ts'

export type SftpConfig = Extract<LocationConfig, { kind: 'sftp' }>

/** The description of a location in a new folder of the server. */
export async function sftpConfigOn(endpoint: string): Promise<SftpConfig> {
  const config = parseLocation(endpoint) as SftpConfig
  const path = `${config.path}/${randomBytes(8).toString('hex')}`
  // The server runs on this machine.
  await mkdir(path)
  return { ...config, path }
}

export function sftpLocation(config: SftpConfig, options: Partial<SftpLocationOptions> = {}): Location {
  const { host, port, path } = config
  return createSftpLocation({
    label: 'far',
    address: { host, port },
    path,
    login: loginFrom(config, { label: 'far', variables: {} }),
    ...options,
  })
}
