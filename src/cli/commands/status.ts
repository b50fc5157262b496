// status: how the vault and its locations are.
import { Failure } from '#base'
import type { LocationStatus, Status } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { counted, printable, sentence, size, table } from '../words.ts'

const HEALTH = {
  none: 'no vault yet',
  healthy: 'healthy: every file opens and is where it should be',
  degraded: 'degraded: every file still opens, redundancy is missing',
  unreadable: 'NOT READABLE: some file cannot be opened now',
} as const

export async function status(context: Context, options: { readonly check: boolean }): Promise<number> {
  const now = await context.client.status({ check: options.check }, { signal: context.signal })
  await context.out.value(now)
  if (now.vault === null) {
    if (!context.out.json) await context.out.problem(noVault())
    return EXIT.failed
  }
  await tell(context, now)
  return { none: EXIT.failed, healthy: EXIT.done, degraded: EXIT.degraded, unreadable: EXIT.unreadable }[now.health]
}

export async function listLocations(context: Context): Promise<number> {
  const now = await context.client.status({ check: true }, { signal: context.signal })
  if (now.vault === null) throw noVault()
  await context.out.value({ locations: now.locations })
  await tellLocations(context, now.locations)
  return EXIT.done
}

function noVault(): Failure {
  return new Failure('storage.no-vault', { next: 'Make one: quorate init folder:a folder:b folder:c' })
}

async function tell(context: Context, now: Status): Promise<void> {
  const { vault } = now
  if (vault === null) return
  const rows = [
    ['vault', `${printable(vault.name)}: any ${vault.threshold} of ${vault.count} locations open a file (${vault.layout} layout)`],
    ['health', HEALTH[now.health]],
    ['files', `${counted(now.files, 'file')} in ${counted(now.folders, 'folder')}, ${size(now.bytes)}`],
    ['repair', now.repairDue === 0 ? 'nothing is due' : `${counted(now.repairDue, 'fragment')} due; run: quorate repair`],
    ...(now.withoutRedundancy === 0 ? [] : [['warning', `${counted(now.withoutRedundancy, 'file')} without redundancy`]]),
  ]
  for (const line of table(rows)) await context.out.line(line)
  await context.out.line('')
  await tellLocations(context, now.locations)
  for (const message of now.messages)
    await context.out.line(`${message.severity}: ${printable(sentence(message.text))} ${printable(message.next)}`.trimEnd())
}

async function tellLocations(context: Context, locations: readonly LocationStatus[]): Promise<void> {
  const rows = locations.map((location) => {
    const { held, lost, corrupt, pending } = location.fragments
    const missing = [lost > 0 ? `${lost} lost` : '', corrupt > 0 ? `${corrupt} corrupt` : '', pending > 0 ? `${pending} pending` : '']
    const fragments = [`${counted(held, 'fragment')} held`, ...missing.filter((one) => one !== '')].join(', ')
    const latency = location.latencyMs === null ? '' : `${Math.round(location.latencyMs)} ms`
    return [String(location.x), printable(location.label), location.state, fragments, size(location.bytes), latency]
  })
  for (const [index, line] of table(rows).entries()) {
    await context.out.line(line)
    const { detail, next } = locations[index]!
    if (detail !== '') await context.out.line(`   ${printable(sentence(detail))} ${printable(next)}`.trimEnd())
  }
}
