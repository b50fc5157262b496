// A site on a new machine from a kit: secrets into the home, locations found by their markers, the catalogue rebuilt from them.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, fromBase64, utf8 } from '#base'
import type { KitFacts, KitSecrets, Task } from '#contract'
import type { LocationLine } from './description.ts'
import { createFileDurably, readSmallFile } from './durable-file.ts'
import { openDescribed } from './enrolment.ts'
import { SECRET_FIELDS } from './kit.ts'
import { formatLocation, parseLocation } from './locations/from-config.ts'
import { within } from './patience.ts'
import { readMarker } from './place.ts'
import type { SiteCore } from './site-core.ts'
import type { RecoverRequest } from './site-making.ts'

export interface RestoreRequest {
  readonly kit: Omit<KitFacts, 'files' | 'sealed'>
  readonly secrets?: KitSecrets | undefined
  readonly places: readonly { readonly location: string; readonly spec: string | null }[]
  readonly passphrase?: string | undefined
}

const SECRET_FILE_BYTES_MAX = 128 * 1024

export async function restore(
  core: SiteCore,
  request: RestoreRequest,
  recover: (core: SiteCore, request: RecoverRequest) => Promise<Task>,
): Promise<Task> {
  if (core.running !== undefined)
    throw new Failure('storage.vault-exists', {
      detail: 'this site has a vault already',
      next: 'Use an empty QUORATE_HOME to restore another one.',
    })
  const { kit, secrets } = request
  if (secrets !== undefined && secrets.vault !== kit.vault.id)
    throw new Failure('storage.kit', { detail: 'the sealed secrets are of another vault than the kit' })
  if (secrets?.signingKeys != null) await putSigningKeys(core.options.home, secrets.signingKeys)
  const lines: LocationLine[] = []
  for (const { location, label, kind, place } of kit.locations) {
    const wished = request.places.find((one) => one.location === location)
    if (wished?.spec === null) continue
    if (wished !== undefined) await makeFolder(wished.spec, core.options.home)
    const spec = await withSecrets(core.options.home, { location, place: wished?.spec ?? place }, secrets)
    lines.push({ op: 'location', location, label, kind, place: spec, added: kit.made })
  }
  const answering = await whoAnswers(core, lines, kit.vault.id)
  const others = lines.filter((line) => !answering.includes(line))
  if (answering.length < kit.vault.threshold)
    throw new Failure('storage.locations', {
      detail: `${answering.length} of the ${lines.length} locations answer, ${kit.vault.threshold} are needed`,
      culprits: others.map(({ label }) => label),
      next: 'Say where they are now, for example: quorate restore KIT "LABEL=folder:/mnt/a"; access keys come with --identity or from variables.',
    })
  return recover(core, {
    locations: answering.map(({ place, label }) => ({ spec: place, label })),
    passphrase: request.passphrase,
    dealer: kit.dealer.fingerprint,
    vault: kit.vault.id,
    sparesOthers: true,
    others,
  })
}

/** Locations that show the marker of this vault and of this very location. */
async function whoAnswers(core: SiteCore, lines: readonly LocationLine[], vault: string): Promise<LocationLine[]> {
  const found = await Promise.all(
    lines.map(async (line) => {
      const opened = await openDescribed(core, [line])
      const { location } = opened[0]!
      try {
        const marker = await within({ clock: core.clock, ms: core.stallMs, label: line.label }, (signal) => readMarker(location, signal))
        return marker?.vault === vault && marker.location === line.location
      } catch (error) {
        if (error instanceof Failure) return false
        throw error
      } finally {
        await location.close()
      }
    }),
  )
  return lines.filter((_, index) => found[index] === true)
}

async function putSigningKeys(home: string, { file, keyFile }: NonNullable<KitSecrets['signingKeys']>): Promise<void> {
  await put(join(home, 'signing-keys.json'), fromBase64(file))
  if (keyFile !== null) await put(join(home, 'signing.key'), fromBase64(keyFile))
}

/** A new place for a location that is gone is made when it is a folder; repair fills it. */
async function makeFolder(spec: string, home: string): Promise<void> {
  const config = parseLocation(spec, { from: home })
  if (config.kind === 'folder') await mkdir(config.path, { recursive: true, mode: 0o750 })
}

/** The description with the files that came with the kit, put into the home. */
async function withSecrets(
  home: string,
  { location, place }: { readonly location: string; readonly place: string },
  secrets: KitSecrets | undefined,
): Promise<string> {
  const config: Record<string, unknown> = { ...parseLocation(place, { from: home }) }
  const name = (field: string): string => join(home, 'restored-credentials', `${location.slice(0, 8)}-${field}`)
  const files = secrets?.files.filter((one) => one.location === location) ?? []
  const variables = secrets?.variables.find((one) => one.location === location)
  if (files.length > 0 || variables !== undefined) await mkdir(join(home, 'restored-credentials'), { recursive: true, mode: 0o700 })
  for (const { field, data } of files) {
    if (!SECRET_FIELDS.has(field)) continue
    await put(name(field), fromBase64(data))
    config[field] = name(field)
  }
  if (variables !== undefined && config['credentials'] === undefined) {
    await put(name('credentials'), utf8(JSON.stringify(variables.values)))
    config['credentials'] = name('credentials')
  }
  return formatLocation(parseLocation(config, { from: home }))
}

/** Never over something else; the same bytes again are no failure, so that a restore may be begun again. */
async function put(path: string, bytes: Uint8Array): Promise<void> {
  if ((await createFileDurably(path, bytes)) === 'created') return
  const standing = await readSmallFile(path, SECRET_FILE_BYTES_MAX)
  if (standing !== undefined && Buffer.compare(standing, bytes) === 0) return
  throw new Failure('storage.exists', {
    detail: `there is another file in the home already: ${path}`,
    next: 'Restore into an empty QUORATE_HOME.',
  })
}
