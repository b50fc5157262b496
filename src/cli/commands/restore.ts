// restore: a site on a new machine from a kit, with what the officers can open and what a person knows of the places.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Failure, isFailure } from '#base'
import { type KitFacts, kitFacts, type KitSecrets, kitSecrets, type Task } from '#contract'
import type { Context } from '../context.ts'
import type { Host } from '../host.ts'
import { localFailure } from '../local-failure.ts'
import { locationSpec } from '../location-specs.ts'
import { tellTask, watchTask } from '../task-watch.ts'
import { counted, printable, size } from '../words.ts'
import { status } from './status.ts'

export interface RestoreOptions {
  /** `LABEL=folder:...`; `LABEL=none` leaves it out. */
  readonly places: readonly string[]
  readonly identities: readonly string[]
}

const FILE_BYTES_MAX = 4 * 2 ** 20
const ASKED_MAX = 8

interface Where {
  readonly location: string
  readonly spec: string | null
}

export async function restore(context: Context, typed: string, options: RestoreOptions, passphrase: string | undefined): Promise<number> {
  const folder = resolve(context.host.folder, typed)
  const facts = await readKit(folder)
  const secrets = await openSecrets(context.host, folder, facts, options.identities)
  let places = options.places.map((one) => placeOf(context.host, facts, one))
  await context.out.line(
    `Kit of ${facts.made.slice(0, 10)}: vault ${printable(facts.vault.name)}, any ${facts.vault.threshold} of ${facts.vault.count} locations open a file.`,
  )
  await context.out.line(`Compare with the printed sheet: ${facts.dealer.fingerprint}`)
  for (let asked = 0; ; asked++) {
    try {
      const { files: _files, sealed: _sealed, ...kit } = facts
      const started = await context.client.restore(
        { kit, places, ...(secrets === undefined ? {} : { secrets }), ...(passphrase === undefined ? {} : { passphrase }) },
        { signal: context.signal },
      )
      return await tell(context, await watchTask(context, started))
    } catch (error) {
      const missing = isFailure(error, 'storage.locations') ? error.culprits : []
      if (!context.host.keyboard || missing.length === 0 || asked >= ASKED_MAX) throw error
      await context.out.problem(error)
      places = [...places.filter(({ location }) => !isNamed(facts, location, missing)), ...(await ask(context.host, facts, missing))]
    }
  }
}

/** What came back, then how every place is. */
async function tell(context: Context, task: Task): Promise<number> {
  const code = await tellTask(context, task, { done: 'Restored' })
  if (task.state !== 'done') return code
  const now = await context.client.status({ check: true }, { signal: context.signal })
  await context.out.line(`${counted(now.files, 'file')} in ${counted(now.folders, 'folder')} came back, ${size(now.bytes)}.`)
  const away = now.locations.filter(({ state }) => state !== 'healthy')
  if (away.length > 0)
    await context.out.line(
      `Not there, or not whole: ${away.map(({ label }) => printable(label)).join(', ')}. Bring them back, or run: quorate repair`,
    )
  return Math.max(code, context.out.json ? code : await status(context, { check: false }))
}

async function readKit(folder: string): Promise<KitFacts> {
  let facts: KitFacts
  try {
    facts = kitFacts.parse(JSON.parse((await smallFile(join(folder, 'kit.json'))).toString()))
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('storage.kit', { detail: `${join(folder, 'kit.json')} is not as a kit is written`, culprits: [folder], cause: error })
  }
  for (const [name, hash] of Object.entries(facts.files)) {
    const bytes = await smallFile(join(folder, name))
    if (createHash('sha256').update(bytes).digest('hex') === hash) continue
    throw new Failure('storage.kit', {
      detail: `${name} in the kit was changed since it was made`,
      culprits: [name],
      next: 'Take another copy of the kit.',
    })
  }
  return facts
}

async function openSecrets(host: Host, folder: string, facts: KitFacts, identities: readonly string[]): Promise<KitSecrets | undefined> {
  if (facts.sealed === null || identities.length === 0) return undefined
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  for (const file of identities) {
    const text = (await smallFile(resolve(host.folder, file))).toString()
    const lines = text.split(/\r?\n/).filter((line) => line.startsWith('AGE-SECRET-KEY-'))
    if (lines.length === 0) throw new Failure('cli.file', { detail: `${file} holds no age identity.`, culprits: [file] })
    for (const line of lines) decrypter.addIdentity(line.trim())
  }
  const sealed = await smallFile(join(folder, facts.sealed.file))
  let opened: string
  try {
    opened = await decrypter.decrypt(sealed, 'text')
  } catch {
    throw new Failure('crypto.passphrase', {
      detail: 'these identities do not open the secrets of the kit',
      culprits: facts.sealed.officers.map(({ name }) => name),
      next: `They are sealed to ${facts.sealed.officers.map(({ name }) => name).join(', ')}.`,
    })
  }
  const parsed = kitSecrets.safeParse(JSON.parse(opened))
  if (parsed.success) return parsed.data
  throw new Failure('storage.kit', { detail: 'the secrets of the kit are not as they are written' })
}

function placeOf(host: Host, facts: KitFacts, typed: string): Where {
  const found = facts.locations.find(({ label, location }) => [label, location].some((name) => typed.startsWith(`${name}=`)))
  if (found === undefined)
    throw new Failure('cli.usage', {
      detail: `A place is named as LABEL=folder:PATH or LABEL=s3:URL; ${JSON.stringify(typed)} begins with no label of the kit.`,
      next: `The kit has: ${facts.locations.map(({ label }) => label).join(', ')}.`,
    })
  const name = typed.startsWith(`${found.label}=`) ? found.label : found.location
  const spec = typed.slice(name.length + 1)
  return { location: found.location, spec: spec === 'none' ? null : locationSpec(host, spec).spec }
}

function isNamed(facts: KitFacts, location: string, labels: readonly string[]): boolean {
  return labels.includes(facts.locations.find((one) => one.location === location)?.label ?? '')
}

async function ask(host: Host, facts: KitFacts, labels: readonly string[]): Promise<Where[]> {
  const { isCancel, text } = await import('@clack/prompts')
  const found: Where[] = []
  for (const label of labels) {
    const line = facts.locations.find((one) => one.label === label)
    if (line === undefined) continue
    const answer = await text({
      message: `Where is ${printable(label)} now? (folder:PATH or another place; empty: not there)`,
      placeholder: line.place,
      output: process.stderr,
    })
    if (isCancel(answer)) throw new Failure('base.cancelled')
    const typed = answer?.trim() ?? ''
    if (typed !== '') found.push({ location: line.location, spec: locationSpec(host, typed).spec })
  }
  return found
}

async function smallFile(path: string): Promise<Buffer> {
  try {
    const bytes = await readFile(path)
    if (bytes.length > FILE_BYTES_MAX) throw new Failure('cli.file', { detail: `${path} is too large.`, culprits: [path] })
    return bytes
  } catch (error) {
    throw localFailure(error, 'read', path)
  }
}
