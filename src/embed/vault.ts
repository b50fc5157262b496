// `quorate/vault`: a vault inside another program. No port, no people, no page: files go in and come out, over folders and clouds.
import { homedir } from 'node:os'
import { createClient, type Layout } from '#contract'
import { Failure } from '#base'
import { locationSpec } from '../cli/location-specs.ts'
import { inProcessTransport } from '../gateways/api/in-process-transport.ts'
import { databasePlace } from '../main/database-place.ts'
import { busy, readHolder, tryLock } from '../main/home-lock.ts'
import { homePaths, prepareHome } from '../main/home.ts'
import { openSite } from '../main/site.ts'
import { filesOver, type Files } from './files.ts'

export { Failure, isFailure, type FailureCode } from '#base'
export type { Entry, LocationStatus, Status, Stored } from '#contract'
export type { Body, Cancellable, Files, Reading, ReadOptions, Report, StoreOptions } from './files.ts'

/** How a vault is made where there is none. */
export interface MakeVault {
  /** Locations that are needed to open a file, at least 2. Any fewer know nothing of it. */
  readonly threshold: number
  /** Where the fragments go, such as `folder:/mnt/a` (relative ones are meant from the working folder) or `s3:https://HOST/BUCKET/PREFIX?region=...`; see docs/spec/locations.md. */
  readonly locations: readonly (string | { readonly spec: string; readonly label?: string | undefined })[]
  readonly name?: string | undefined
  /** `shared` (the default) or `sealed`, which takes less room and rests on a cipher; see docs/spec/fragment.md. */
  readonly layout?: Layout | undefined
  /** Uploads wait for every location, not for all but one. */
  readonly requireAll?: boolean | undefined
}

export interface OpenVaultOptions {
  /** Folder of the vault's database and keys; made when it is absent, readable by this user only. One process uses it at a time. */
  readonly home: string
  /** Makes the vault when the home has none. One that is there is opened as it is, whatever this says. */
  readonly make?: MakeVault | undefined
  /** Seals the signing keys, when the vault is made with one, and opens them. Without it they lie in a file of the home. */
  readonly passphrase?: string | undefined
  /** Access keys of clouds under the names of their environment variables, such as AWS_ACCESS_KEY_ID. Often `process.env`. */
  readonly credentials?: Readonly<Record<string, string | undefined>> | undefined
  /** PostgreSQL instead of a file in the home: `postgres://user@host/database`, and a file with the password. */
  readonly database?: { readonly url: string; readonly passwordFile?: string | undefined } | undefined
  /** Who acts, for records of deletions. */
  readonly actor?: string | undefined
  /** Hears what goes on. Never a name of a file. */
  readonly log?: VaultLog | undefined
}

export interface VaultLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** An open vault. It checks and repairs itself while it is open, as its settings say. */
export interface Vault extends Files, AsyncDisposable {
  /** Ends what is under way and gives the home back. Uploads that go on can be gone on with later. */
  close(): Promise<void>
}

const SILENT: VaultLog = { info: () => {}, warn: () => {}, error: () => {} }
const ACTOR = 'program'

/**
 * Opens the vault of a home, and makes it first when `make` says how.
 * Fails with `storage.no-vault` when there is none and nothing says how to make it, `storage.home-busy` when another process has the
 * home (a site that runs there is reached by `quorate/client`), `crypto.passphrase` when a vault is made or written with the wrong one.
 */
export async function openVault(options: OpenVaultOptions): Promise<Vault> {
  const { home, make, passphrase, credentials = {}, actor = ACTOR, log = SILENT } = options
  const paths = homePaths(home)
  await prepareHome(paths)
  const lock = await tryLock(paths, 'vault')
  if (lock === undefined) throw busy(paths, await readHolder(paths), true)
  try {
    const { url, passwordFile } = options.database ?? {}
    const database = await databasePlace(paths.folder, { database: url, databasePasswordFile: passwordFile })
    const site = await openSite({ home: paths.folder, environment: credentials, passphrase, database, log })
    const client = createClient(inProcessTransport(site.access.enter({ kind: 'local', name: actor })))
    try {
      const { vault } = await client.site()
      if (vault === null && make === undefined) {
        throw new Failure('storage.no-vault', { next: 'Say with `make` how it is to be made, or name another home.' })
      }
      if (vault === null && make !== undefined) {
        const { locations, ...rest } = make
        const here = { folder: process.cwd(), personFolder: homedir() }
        const places = locations.map((one) => (typeof one === 'string' ? locationSpec(here, one) : locationSpec(here, one.spec, one.label)))
        await client.createVault({
          ...given(rest),
          threshold: make.threshold,
          locations: places,
          ...(passphrase === undefined ? {} : { passphrase }),
        })
      }
    } catch (error) {
      await site.close()
      throw error
    }
    let closing: Promise<void> | undefined
    const end = async (): Promise<void> => {
      try {
        await site.close()
      } finally {
        await lock.release()
      }
    }
    const close = (): Promise<void> => (closing ??= end())
    return { ...filesOver(client), close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Without what was not said. */
function given({ name, layout, requireAll }: Omit<MakeVault, 'locations'>): { name?: string; layout?: Layout; requireAll?: boolean } {
  return {
    ...(name === undefined ? {} : { name }),
    ...(layout === undefined ? {} : { layout }),
    ...(requireAll === undefined ? {} : { requireAll }),
  }
}
