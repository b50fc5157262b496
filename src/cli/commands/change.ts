// change, refresh, and locations that leave: what a vault is to become, and how far it is.
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '#base'
import type { ChangePreview, ChangeRequest, ChangeStatus } from '#contract'
import { EXIT } from '../exit-codes.ts'
import { locationSpec } from '../location-specs.ts'
import type { Context } from '../context.ts'
import { counted, duration, printable, size, table } from '../words.ts'

const FIRST_LOOK_MS = 20
const LOOK_MS_MAX = 500
const BYTES_MAX = 1e12

export interface ChangeOptions {
  /** Only says what would happen. */
  readonly preview: boolean
  /** Begins it and does not stay. */
  readonly begin: boolean
  /** Nothing begins before a person at the keyboard says so. */
  readonly ask?: boolean
}

const WARNINGS: Record<ChangePreview['warnings'][number], string> = {
  'no-redundancy': 'No location may be lost then: every one of them is needed to open a file.',
  'fewer-collude': 'Fewer locations than before could open files together.',
  'sealed-bodies-stay': 'Ciphertext that was taken stays openable with the old keys; `quorate refresh --keys` deals everything anew.',
  'what-left-stays-valid': 'What the location may have kept stays a valid share; add --refresh to make it worthless.',
  'location-away': 'A location does not answer now: what it needs waits for it.',
}

/** Sets the wanted shape and stays until it is reached, or waits for something. */
export async function change(context: Context, request: ChangeRequest, options: ChangeOptions): Promise<number> {
  await tellPreview(context, await context.client.previewChange(request, { signal: context.signal }), options.preview)
  if (options.preview) return EXIT.done
  if (options.ask === true) await confirm(context)
  const begun = await context.client.requestChange(request, { signal: context.signal })
  return options.begin ? tellStatus(context, begun) : watch(context)
}

/** Adds a location and leaves another in one pass. */
export async function replaceLocation(
  context: Context,
  given: { readonly old: string; readonly spec: string; readonly label: string | undefined; readonly refresh: boolean },
  options: ChangeOptions,
): Promise<number> {
  const request: ChangeRequest = { leave: [{ location: given.old }], ...(given.refresh ? { refresh: 'shares' as const } : {}) }
  await tellPreview(context, await context.client.previewChange({ ...request, adding: 1 }, { signal: context.signal }), options.preview)
  if (options.preview) return EXIT.done
  const added = await context.client.addLocation(locationSpec(context.host, given.spec, given.label), { signal: context.signal })
  await context.out.line(`${printable(added.label)} is location ${added.x}, and takes over from ${printable(given.old)}.`)
  const begun = await context.client.requestChange(request, { signal: context.signal })
  return options.begin ? tellStatus(context, begun) : watch(context)
}

async function confirm({ host, out }: Context): Promise<void> {
  if (!host.keyboard || out.json)
    throw new Failure('cli.usage', {
      detail: 'Nobody can be asked whether this change is to begin.',
      next: 'Look at it with --preview, then say --yes.',
    })
  const { confirm: ask } = await import('@clack/prompts')
  if ((await ask({ message: 'Begin this change?', initialValue: false, output: process.stderr })) !== true)
    throw new Failure('base.cancelled', { detail: 'Nothing was changed' })
}

export async function changeStatus(context: Context): Promise<number> {
  return tellStatus(context, await context.client.change({ signal: context.signal }))
}

export async function steerChange(context: Context, state: 'running' | 'paused' | 'cancelled'): Promise<number> {
  const status = await context.client.steerChange({ state }, { signal: context.signal })
  return state === 'running' ? watch(context) : tellStatus(context, status)
}

export async function throttleChange(context: Context, rate: string): Promise<number> {
  return tellStatus(context, await context.client.steerChange({ bytesPerSecond: bytesOf(rate) }, { signal: context.signal }))
}

/** `10M`, `500k`, `1.5GiB/s`, `off`. Throws `cli.usage`. */
export function bytesOf(rate: string): number {
  if (rate === 'off' || rate === '0') return 0
  const found = /^(\d{1,9}(?:\.\d{1,3})?)\s*([kmgt]?)(?:i?b)?(?:\/s)?$/i.exec(rate)
  const unit = found?.[2]?.toLowerCase() ?? ''
  const bytes = Math.round(Number(found?.[1]) * 1024 ** (unit === '' ? 0 : 'kmgt'.indexOf(unit) + 1))
  if (!(bytes >= 1 && bytes <= BYTES_MAX))
    throw new Failure('cli.usage', {
      detail: `${JSON.stringify(rate)} is no pace.`,
      next: 'Write it as 500k, 10M or 1G (bytes a second), or off.',
    })
  return bytes
}

async function watch(context: Context): Promise<number> {
  const meter = context.out.meter()
  let status = await context.client.change({ signal: context.signal })
  for (let waitMs = FIRST_LOOK_MS; status.task !== null; waitMs = Math.min(LOOK_MS_MAX, waitMs * 2)) {
    meter.show(picture(status))
    await sleep(waitMs, undefined, { signal: context.signal }).catch(() => {})
    if (context.signal.aborted) break
    status = await context.client.change({ signal: context.signal })
  }
  await meter.close()
  return tellStatus(context, status)
}

async function tellPreview(context: Context, preview: ChangePreview, alone: boolean): Promise<void> {
  if (alone) await context.out.value(preview)
  const { before, after, objects, bytes, seconds, spareMeanwhile } = preview
  const shape = ({ threshold, count, layout, spare }: ChangePreview['before']): string =>
    `${threshold} of ${count}, ${layout}; ${spare === 0 ? 'no location' : counted(spare, 'location')} may be lost`
  await context.out.line(`now   ${shape(before)}`)
  await context.out.line(`then  ${shape(after)}; meanwhile at least ${spareMeanwhile}`)
  const time = seconds === null || seconds === 0 ? '' : `, about ${duration(seconds)}`
  await context.out.line(`${counted(objects, 'object')} to change, ${size(bytes)} to write${time}`)
  await tellMonthly(context, preview.monthly)
  for (const warning of preview.warnings) await context.out.line(`  ${WARNINGS[warning]}`)
}

async function tellMonthly(context: Context, { before, after }: ChangePreview['monthly']): Promise<void> {
  if (before === null && after === null) return
  const money = (sum: ChangePreview['monthly']['before']): string => (sum === null ? '?' : `${sum.amount.toFixed(2)} ${sum.currency}`)
  await context.out.line(`a month, as it is used: ${money(before)} now, ${money(after)} then`)
}

/** The exit code is `degraded` while something is not as wanted. */
async function tellStatus(context: Context, status: ChangeStatus): Promise<number> {
  await context.out.value(status)
  const { state, wanted, due, shapes, leaving, waits, bytesPerSecond } = status
  const words = { idle: 'Nothing is under way', running: 'Under way', paused: 'Paused', cancelled: 'Cancelled' }[state]
  const pace = bytesPerSecond === 0 ? '' : ` (at most ${size(bytesPerSecond)}/s)`
  await context.out.line(`${words}${pace}: wanted ${wanted.threshold} of ${wanted.count}, ${wanted.layout}`)
  if (due.objects > 0) await context.out.line(`${counted(due.objects, 'object')} to change, ${size(due.bytes)} to write`)
  const rows = shapes.map(({ threshold, count, layout, objects }) => [`  ${threshold} of ${count}`, layout, counted(objects, 'object')])
  if (shapes.length > 1) for (const row of table(rows)) await context.out.line(row)
  for (const { label, by, fragments, bytes, phase } of leaving) {
    const what = phase === 'emptying' ? 'is being emptied' : `keeps ${counted(fragments, 'fragment')} that are needed (${size(bytes)})`
    await context.out.line(`  ${printable(label)} leaves${by === null ? '' : ` by ${by.slice(0, 10)}`}: it ${what}`)
  }
  for (const one of waits) await context.out.line(`  ${printable(one)}`)
  if (state === 'running') await context.out.line('It goes on by itself while the site runs: quorate change status')
  return state === 'idle' && due.objects === 0 ? EXIT.done : EXIT.degraded
}

function picture({ state, bytesDone, bytesTotal, rate, remainingSeconds }: ChangeStatus): string {
  const amount = `${size(Math.min(bytesDone, bytesTotal))} of ${size(bytesTotal)}`
  const speed = rate > 0 ? `  ${size(rate)}/s` : ''
  const left = remainingSeconds === null ? '' : `  ${duration(remainingSeconds)} left`
  return `${state === 'paused' ? 'Paused' : 'Change the vault'}  ${amount}${speed}${left}`
}
