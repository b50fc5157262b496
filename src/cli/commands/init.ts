// init: makes the vault, by what is on the command line or by asking.
import { Failure } from '#base'
import type { VaultRequest } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Host } from '../host.ts'
import { locationSpec } from '../location-specs.ts'
import type { Context } from '../context.ts'
import { printable } from '../words.ts'

export interface InitOptions {
  readonly name: string | undefined
  readonly threshold: number | undefined
  readonly layout: 'shared' | 'sealed' | undefined
  readonly requireAll: boolean
}

export interface InitRequest {
  readonly name: string | undefined
  readonly threshold: number
  readonly layout: 'shared' | 'sealed' | undefined
  readonly requireAll: boolean
  readonly locations: readonly string[]
}

/** Before anything is opened or made: what is missing is asked for, or refused where nobody can answer. */
export async function planVault(host: Host, locations: readonly string[], options: InitOptions): Promise<InitRequest> {
  if (locations.length > 0) {
    if (locations.length < 2)
      throw new Failure('cli.usage', {
        detail: 'A vault needs at least two locations.',
        next: 'For example: quorate init folder:a folder:b folder:c',
      })
    return { ...options, locations, threshold: options.threshold ?? Math.floor(locations.length / 2) + 1 }
  }
  if (!host.keyboard) {
    throw new Failure('cli.usage', {
      detail: 'init needs locations.',
      next: 'For example: quorate init --threshold 2 folder:a folder:b folder:c',
    })
  }
  return askVault(options)
}

export async function init(context: Context, request: InitRequest, passphrase: string | undefined): Promise<number> {
  const { name, layout } = request
  const body: VaultRequest = {
    threshold: request.threshold,
    requireAll: request.requireAll,
    locations: request.locations.map((typed) => locationSpec(context.host, typed)),
    ...(name === undefined ? {} : { name }),
    ...(layout === undefined ? {} : { layout }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
  const vault = await context.client.createVault(body, { signal: context.signal })
  await context.out.value(vault)
  await context.out.line(
    `Vault "${printable(vault.name)}" is ready: any ${vault.threshold} of ${vault.count} locations open a file, fewer than ${vault.threshold} know nothing.`,
  )
  await context.out.line(
    `Its signing keys are sealed under ${passphrase === undefined ? 'a key file in the home' : 'your passphrase'}. Their fingerprint, for the recovery sheet:`,
  )
  await context.out.line(`  ${vault.dealer}`)
  await context.out.line('Store something: quorate put FILE /')
  return EXIT.done
}

async function askVault(options: InitOptions): Promise<InitRequest> {
  const { isCancel, text } = await import('@clack/prompts')
  const one = async (message: string, initialValue: string, validate: (value: string) => string | undefined): Promise<string> => {
    const answer = await text({ message, initialValue, output: process.stderr, validate: (value) => validate(value ?? '') })
    if (isCancel(answer)) throw new Failure('base.cancelled')
    return answer
  }
  const words = (typed: string): string[] => typed.split(/\s+/).filter((word) => word !== '')
  const name = options.name ?? (await one('Name of the vault', 'Vault', (value) => (value.trim() === '' ? 'A name is needed.' : undefined)))
  const locations = words(
    await one('Locations, with spaces between', 'folder:a folder:b folder:c', (value) =>
      words(value).length < 2 ? 'At least two.' : undefined,
    ),
  )
  const proposed = String(Math.floor(locations.length / 2) + 1)
  const threshold =
    options.threshold ??
    Number(
      await one(`How many of the ${locations.length} must come together to open a file`, proposed, (value) =>
        Number.isInteger(Number(value)) && Number(value) >= 2 && Number(value) <= locations.length
          ? undefined
          : `From 2 to ${locations.length}.`,
      ),
    )
  return { ...options, name, locations, threshold }
}
