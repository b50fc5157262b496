// writer key, add, list, remove and acknowledge; join: several sites that write one vault.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { Failure } from '#base'
import type { Writer, WriterList } from '#contract'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { localFailure } from '../local-failure.ts'
import { locationSpec } from '../location-specs.ts'
import { tellTask, watchTask } from '../task-watch.ts'
import { printable } from '../words.ts'

const LINE_BYTES_MAX = 16_384

export async function writerKey(context: Context, passphrase: string | undefined): Promise<number> {
  const key = await context.client.writerKey(passphrase === undefined ? {} : { passphrase }, { signal: context.signal })
  await context.out.value(key)
  await context.out.line(key.line)
  // On standard error, so that the line alone can go into a file.
  if (!context.out.json)
    await context.out.note(`compare this fingerprint with the person at the other site, by voice: ${key.fingerprint}`, {
      fingerprint: key.fingerprint,
    })
  return EXIT.done
}

export async function addWriter(context: Context, file: string, name: string): Promise<number> {
  const line = await lineOf(file)
  const list = await context.client.addWriter({ line, name }, { signal: context.signal })
  await context.out.value(list)
  const added = list.writers.find((one) => one.name === name && one.state === 'active')
  await context.out.line(`${printable(name)} may write to the vault. Its fingerprint, to be compared by voice:`)
  await context.out.line(`  ${added?.fingerprint ?? ''}`)
  await context.out.line('On that site: quorate join LOCATION...')
  return EXIT.done
}

export async function listWriters(context: Context): Promise<number> {
  return tellWriters(context, await context.client.writers({ signal: context.signal }))
}

export async function removeWriter(context: Context, writer: string): Promise<number> {
  return tellWriters(context, await context.client.removeWriter(writer, { signal: context.signal }))
}

export async function acknowledge(context: Context, alarm: string): Promise<number> {
  return tellWriters(context, await context.client.acknowledge({ alarm }, { signal: context.signal }))
}

export async function join(
  context: Context,
  typed: readonly string[],
  options: { readonly dealer: string | undefined; readonly passphrase: string | undefined },
): Promise<number> {
  if (typed.length < 2) throw new Failure('cli.usage', { detail: 'join needs at least k places of the vault.' })
  const { dealer, passphrase } = options
  const started = await context.client.join(
    {
      locations: typed.map((spec) => locationSpec(context.host, spec)),
      ...(dealer === undefined ? {} : { dealer }),
      ...(passphrase === undefined ? {} : { passphrase }),
    },
    { signal: context.signal },
  )
  return tellTask(context, await watchTask(context, started), { done: 'Joined' })
}

async function tellWriters(context: Context, list: WriterList): Promise<number> {
  await context.out.value(list)
  for (const one of list.writers) await context.out.line(`${one.fingerprint.slice(0, 16)}  ${words(one)}`)
  for (const { id, text: what, next } of list.alarms) {
    await context.out.line(`ALARM ${id}: ${printable(what)}`)
    await context.out.line(`  ${printable(next)}`)
  }
  return list.alarms.length > 0 ? EXIT.degraded : EXIT.done
}

function words({ name, role, state, own, certifiedBy }: Writer): string {
  const called = name === '' ? 'the dealer of the recovery sheet' : printable(name)
  const by = role === 'dealer' || certifiedBy.length === 0 ? '' : `, added by ${certifiedBy.map(printable).join(' and ')}`
  return `${called}${own ? ' (this site)' : ''}${by}${state === 'removed' ? '; removed, writes no more' : ''}`
}

async function lineOf(file: string): Promise<string> {
  try {
    const found = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
    if (found.length > LINE_BYTES_MAX) throw new Failure('cli.file', { detail: `${file} is too long for the key line of a writer` })
    return found.trim()
  } catch (error) {
    throw error instanceof Failure ? error : localFailure(error, 'read', file)
  }
}
