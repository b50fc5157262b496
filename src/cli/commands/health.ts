// health, health schedule and location describe: how the vault was and is, when it is checked, and what people say of their locations.
import { Failure } from '#base'
import type { HealthRequest, HealthSample, HealthView, MeasuredLocation, ScrubDepth, Traits } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { counted, printable, size, table } from '../words.ts'

export interface DescribeOptions {
  readonly provider?: string | undefined
  readonly region?: string | undefined
  readonly jurisdiction?: string | undefined
  readonly position?: Traits['position']
  readonly availability?: number | undefined
  readonly durability?: number | undefined
  readonly currency?: string | undefined
  readonly perGibMonth?: number | undefined
  readonly perGibOut?: number | undefined
  readonly per10kPuts?: number | undefined
  readonly per10kGets?: number | undefined
  readonly clear: boolean
}

export interface ScheduleOptions {
  readonly present?: number | 'off' | undefined
  readonly tags?: number | 'off' | undefined
  readonly full?: number | 'off' | undefined
  readonly rate?: number | undefined
  readonly share?: number | undefined
  readonly pause?: true | undefined
  readonly resume?: true | undefined
  readonly autoRepair?: 'on' | 'off' | undefined
  readonly repairDelay?: number | undefined
}

export type HealthWish =
  | { readonly kind: 'describe-location'; readonly named: string; readonly options: DescribeOptions }
  | { readonly kind: 'health'; readonly days: number }
  | { readonly kind: 'health-schedule'; readonly options: ScheduleOptions }

const DEPTHS: readonly ScrubDepth[] = ['present', 'tags', 'full']
const DEPTH_WORDS = {
  present: 'everything is there',
  tags: 'every byte of every fragment',
  full: 'every file read whole',
} as const

export async function health(context: Context, days: number): Promise<number> {
  const { client, out, signal } = context
  const view = await client.health({ signal })
  const history = await client.healthHistory({ days }, { signal })
  await out.value({ ...view, history: history.samples })
  await tellSchedule(context, view)
  await tellDebt(context, view)
  await out.line('')
  for (const line of table(view.locations.map(locationRow))) await out.line(line)
  if (history.samples.length > 0) {
    await out.line('')
    for (const line of tellHistory(history.samples)) await out.line(line)
  }
  return view.debt.fragments > 0 ? EXIT.degraded : EXIT.done
}

export async function healthSchedule(context: Context, options: ScheduleOptions): Promise<number> {
  const request = scheduleRequest(options)
  const { client, out, signal } = context
  const view = Object.keys(request).length === 0 ? await client.health({ signal }) : await client.setHealth(request, { signal })
  await out.value({ settings: view.settings, schedule: view.schedule })
  await tellSchedule(context, view)
  return EXIT.done
}

export async function describeLocation(context: Context, named: string, options: DescribeOptions): Promise<number> {
  const { client, out, signal } = context
  const view = await client.health({ signal })
  const before = view.locations.find(({ id, label }) => id === named || label === named)
  if (before === undefined)
    throw new Failure('storage.absent', {
      detail: `the vault has no location ${JSON.stringify(named)}`,
      next: `It has: ${view.locations.map(({ label }) => label).join(', ')}.`,
    })
  const traits = merged(options.clear ? {} : before.traits, options)
  const after = await client.setTraits({ location: before.id, traits }, { signal })
  await out.value(after)
  for (const line of table(traitRows(after))) await out.line(line)
  return EXIT.done
}

function scheduleRequest(options: ScheduleOptions): HealthRequest {
  if (options.pause === true && options.resume === true)
    throw new Failure('cli.usage', { detail: '--pause and --resume exclude each other.', next: 'Name one of them.' })
  const schedule = DEPTHS.flatMap((depth) => {
    const wanted = options[depth]
    if (wanted === undefined) return []
    return [wanted === 'off' ? { depth, enabled: false } : { depth, enabled: true, everyHours: wanted }]
  })
  return {
    ...(schedule.length === 0 ? {} : { schedule }),
    ...(options.rate === undefined ? {} : { bytesPerSecond: Math.round(options.rate * 2 ** 20) }),
    ...(options.share === undefined ? {} : { timeShare: options.share }),
    ...(options.pause === true ? { paused: true } : options.resume === true ? { paused: false } : {}),
    ...(options.autoRepair === undefined ? {} : { autoRepair: options.autoRepair === 'on' }),
    ...(options.repairDelay === undefined ? {} : { repairDelaySeconds: Math.round(options.repairDelay) }),
  }
}

function merged(before: Traits, options: DescribeOptions): Traits {
  const { currency, perGibMonth, perGibOut, per10kPuts, per10kGets, clear: _, ...rest } = options
  const named = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Partial<Traits>
  const prices = { perGiBMonth: perGibMonth, perGiBOut: perGibOut, per10kPuts, per10kGets }
  const statedPrices = Object.fromEntries(Object.entries(prices).filter(([, value]) => value !== undefined))
  const { price } = before
  if (currency === undefined && Object.keys(statedPrices).length === 0) return { ...before, ...named }
  const inCurrency = currency?.toUpperCase() ?? price?.currency
  if (inCurrency === undefined)
    throw new Failure('cli.usage', { detail: 'A price needs a currency.', next: 'Add --currency EUR, for example.' })
  const none = { perGiBMonth: 0, perGiBOut: 0, per10kPuts: 0, per10kGets: 0 }
  return { ...before, ...named, price: { ...none, ...price, ...statedPrices, currency: inCurrency } }
}

async function tellSchedule(context: Context, { settings, schedule }: HealthView): Promise<void> {
  const rows = schedule.map(({ depth, enabled, everyHours, progress, finished, findings }) => [
    depth,
    DEPTH_WORDS[depth],
    enabled ? `every ${spoken(everyHours)}` : 'off',
    progress === null ? '' : `${Math.round(progress * 100)} % of this pass`,
    finished === null ? 'never finished yet' : `last finished ${finished}`,
    findings === 0 ? '' : counted(findings, 'finding'),
  ])
  for (const line of table(rows)) await context.out.line(line)
  const rate = `at most ${size(settings.bytesPerSecond)}/s and ${Math.round(settings.timeShare * 100)} % of the time`
  await context.out.line(settings.paused ? 'paused; go on with: quorate health schedule --resume' : rate)
  await context.out.line(
    settings.autoRepair
      ? `damage is repaired by itself, after ${settings.repairDelaySeconds} s; at once where no redundancy is left`
      : 'damage is not repaired by itself; run: quorate repair',
  )
}

async function tellDebt(context: Context, { debt }: HealthView): Promise<void> {
  const line = (text: string): Promise<void> => context.out.line(text)
  if (debt.fragments === 0) return line('repair: nothing is due')
  const urgent = debt.urgent > 0 ? `, ${debt.urgent} of them where no further loss is bearable` : ''
  await line(
    `repair: ${counted(debt.fragments, 'fragment')} due, about ${size(debt.bytes)}${urgent}${debt.oldest === null ? '' : `, since ${debt.oldest}`}`,
  )
  for (const label of debt.heldBack)
    await line(
      `ALARM: ${printable(label)} lost much at once, as when somebody empties or overwrites a place. Find out why; then run: quorate repair`,
    )
}

function locationRow({ label, traits, usage, costPerMonth }: MeasuredLocation): string[] {
  const calls = usage.puts + usage.gets
  return [
    printable(label),
    usage.p50Ms === null ? 'not asked yet' : `${usage.p50Ms} ms (95 %: ${usage.p95Ms ?? usage.p50Ms} ms)`,
    `${calls} requests, ${calls === 0 ? '0' : ((usage.errors / calls) * 100).toFixed(usage.errors === 0 ? 0 : 2)} % failed`,
    `in ${size(usage.bytesIn)}`,
    `out ${size(usage.bytesOut)}`,
    costPerMonth === null ? 'price not stated' : `${costPerMonth.amount.toFixed(2)} ${costPerMonth.currency} a month`,
    printable([traits.provider, traits.region, traits.jurisdiction].filter((one) => one !== undefined).join(', ')),
  ]
}

function traitRows({ label, traits, costPerMonth }: MeasuredLocation): string[][] {
  const { price } = traits
  const said: (readonly [string, string | number | undefined])[] = [
    ['location', label],
    ['provider', traits.provider],
    ['region', traits.region],
    ['jurisdiction', traits.jurisdiction],
    ['availability', traits.availability],
    ['durability', traits.durability],
    ['GiB and month', price && `${price.perGiBMonth} ${price.currency}`],
    ['GiB out', price && `${price.perGiBOut} ${price.currency}`],
    ['10000 puts', price && `${price.per10kPuts} ${price.currency}`],
    ['10000 gets', price && `${price.per10kGets} ${price.currency}`],
    ['a month now', costPerMonth === null ? undefined : `${costPerMonth.amount.toFixed(2)} ${costPerMonth.currency}`],
  ]
  return said.map(([name, value]) => [name, value === undefined ? 'not stated' : printable(String(value))])
}

const MARKS = '▁▂▃▄▅▆▇█'
const MARKS_MAX = 60

/** One line of marks for what is to be repaired, worst of each stretch, and one for locations that were away. */
function tellHistory(samples: readonly HealthSample[]): string[] {
  const stretch = Math.ceil(samples.length / MARKS_MAX)
  const worst = (value: (sample: HealthSample) => number): number[] =>
    Array.from({ length: Math.ceil(samples.length / stretch) }, (_, index) =>
      Math.max(...samples.slice(index * stretch, (index + 1) * stretch).map(value)),
    )
  const marks = (values: readonly number[]): string => {
    const most = Math.max(1, ...values)
    return values.map((value) => MARKS[Math.ceil((value / most) * (MARKS.length - 1))]).join('')
  }
  const due = worst(({ lost, corrupt, pending }) => lost + corrupt + pending)
  const away = worst((sample) => sample.away)
  return [
    `from ${samples[0]!.at} to ${samples.at(-1)!.at}`,
    ...table([
      ['to repair', marks(due), `at most ${Math.max(...due)}`],
      ['away', marks(away), `at most ${Math.max(...away)}`],
    ]),
  ]
}

function spoken(hours: number): string {
  if (hours % 24 !== 0 || hours < 48) return hours === 1 ? 'hour' : `${hours} hours`
  return `${hours / 24} days`
}
