// plan: what other choices of locations, threshold and layout would cost, keep, and reveal to whom. Only a choice that is taken changes anything.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Failure } from '#base'
import { type ChangeRequest, planCandidate, type Plan, type PlanCandidate, type PlanOption, type PlanWarning } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { counted, printable, size, table } from '../words.ts'
import { change } from './change.ts'

export interface PlanOptions {
  readonly candidates?: string | undefined
  /** File of locations that are thought of beside those of the vault. */
  readonly with?: string | undefined
  readonly size?: number | undefined
  readonly files?: number | undefined
  readonly threshold?: number | undefined
  readonly count?: number | undefined
  readonly layout?: 'shared' | 'sealed' | undefined
  readonly readShare?: number | undefined
  readonly repairDays?: number | undefined
  readonly wantAvailability?: number | undefined
  readonly wantLoss?: number | undefined
  readonly wantProviders?: number | undefined
  readonly wantJurisdictions?: number | undefined
  readonly wantSpare?: number | undefined
  readonly all: boolean
  /** Name of a choice, as the table shows it: the vault becomes so. */
  readonly take?: string | undefined
  readonly preview: boolean
  readonly begin: boolean
  readonly yes: boolean
}

export type PlanWish = { readonly kind: 'plan'; readonly options: PlanOptions }

const FILE_BYTES_MAX = 65_536
const SHOWN = 12

const WARNINGS: Record<PlanWarning['code'], (about: string) => string> = {
  'one-provider-opens': (about) => `one provider alone could read everything: ${about}`,
  'one-jurisdiction-opens': (about) => `courts of one jurisdiction could have everything opened: ${about}`,
  'one-provider-down': (about) => `while ${about} is down nothing can be read`,
  'no-spare': () => 'the loss of any one location loses everything',
  unpriced: (about) => `no price is stated for ${about}`,
  currencies: (about) => `prices in ${about} do not add up`,
  'unknown-provider': (about) => `nobody said who runs ${about}; they count as one provider`,
  'unknown-jurisdiction': (about) => `nobody said which courts can reach ${about}; they count as one`,
  'assumed-availability': (about) => `availability of ${about} is assumed: 99 %`,
  'assumed-durability': (about) => `that ${about} keeps everything for a year is assumed at 99 %`,
  'sealed-computational': () => 'sealed: ciphertext that is stolen once stays stolen; secrecy rests on AES-256',
}

const LACKS = {
  availability: 'availability',
  lossPerYear: 'safety from loss',
  providers: 'independent providers',
  jurisdictions: 'independent jurisdictions',
  spare: 'spare locations',
} as const

export async function plan(context: Context, options: PlanOptions): Promise<number> {
  const { out, client, signal } = context
  const wants = stated({
    availability: options.wantAvailability,
    lossPerYear: options.wantLoss,
    providers: options.wantProviders,
    jurisdictions: options.wantJurisdictions,
    spare: options.wantSpare,
  })
  const candidates =
    options.candidates === undefined ? undefined : await readCandidates(resolve(context.host.folder, options.candidates), { least: 2 })
  const also = options.with === undefined ? undefined : await readCandidates(resolve(context.host.folder, options.with), { least: 1 })
  const request = stated({
    candidates,
    also,
    bytes: options.size,
    files: options.files,
    threshold: options.threshold,
    count: options.count,
    layouts: options.layout === undefined ? undefined : [options.layout],
    readShare: options.readShare,
    repairDays: options.repairDays,
    choice: options.take,
  })
  const answer = await client.plan({ ...request, wants }, { signal })
  if (options.take !== undefined) return take(context, answer, options)
  await out.value(answer)
  await tell(context, answer, options.all)
  const chosen = answer.recommended === null ? undefined : answer.options[answer.recommended]
  return chosen === undefined || chosen.lacks.length > 0 ? EXIT.degraded : EXIT.done
}

/** Makes the vault what a choice says. Refuses a choice whose locations the vault does not have yet. */
async function take(context: Context, answer: Plan, options: PlanOptions): Promise<number> {
  const option = answer.options.find(({ id }) => id === options.take)
  if (option === undefined)
    throw new Failure('storage.absent', {
      detail: `${JSON.stringify(options.take)} is none of the ${counted(answer.considered, 'choice')}`,
      next: 'Names stand in the first column of: quorate plan --all',
    })
  const wanted = option.change
  if (wanted === null)
    throw new Failure('storage.no-vault', { detail: 'there is no vault that could become so', next: 'Make it: quorate init' })
  if (wanted.add.length > 0)
    throw new Failure('storage.absent', {
      detail: `the vault has no location ${wanted.add.map((label) => JSON.stringify(label)).join(', ')} yet`,
      next: `Add first: ${wanted.add.map((label) => `quorate location add PLACE --label ${JSON.stringify(label)}`).join('; ')}`,
      culprits: wanted.add,
    })
  const request: ChangeRequest = {
    threshold: wanted.threshold,
    layout: wanted.layout,
    ...(wanted.leave.length === 0 ? {} : { leave: wanted.leave.map((location) => ({ location })) }),
  }
  await context.out.line(`${option.threshold} of ${option.count}, ${option.layout}: ${option.locations.map(printable).join(', ')}`)
  return change(context, request, { preview: options.preview, begin: options.begin, ask: !options.yes })
}

async function tell(context: Context, answer: Plan, all: boolean): Promise<void> {
  const { out } = context
  const { options, recommended, current, currency } = answer
  await out.line(`${counted(answer.considered, 'choice')} compared for ${size(answer.bytes)} in ${counted(answer.files, 'file')}.`)
  const best = options.map((option, index) => ({ option, index })).filter(({ option }) => option.front || option.best)
  const wanted = best.filter(({ option }) => all || option.front)
  const shown = (all ? wanted : wanted.slice(0, SHOWN)).concat(
    best
      .filter(({ index }) => index === recommended || index === current)
      .filter((one) => !(all ? wanted : wanted.slice(0, SHOWN)).includes(one)),
  )
  const header = ['', 'choice', 'k of n', 'layout', 'a month', 'kept', 'read', 'loss a year', 'to read', 'locations']
  const rows = shown
    .toSorted((a, b) => a.index - b.index)
    .map(({ option, index }) => [
      `${index === recommended ? '>' : ''}${index === current ? '=' : ''}` || (option.front ? '' : '-'),
      option.id,
      `${option.threshold} of ${option.count}`,
      option.layout,
      option.cost === null ? '?' : `${option.cost.total.toFixed(2)} ${currency ?? ''}`.trimEnd(),
      size(option.keptBytes),
      nines(option.availability),
      option.lossPerYear === 0 ? '0' : option.lossPerYear.toExponential(0),
      `${counted(option.providers.least, 'provider')}, ${counted(option.jurisdictions.least, 'jurisdiction')}`,
      option.locations.map(printable).join(', '),
    ])
  for (const line of table([header, ...rows])) await out.line(line)
  await out.line('> recommended; = as it is now; - beaten by another in everything')
  if (options.some((option) => option.change !== null)) await out.line('To make the vault so: quorate plan --take CHOICE')
  if (recommended !== null) await tellRecommended(context, answer, options[recommended]!)
}

async function tellRecommended(context: Context, { reasons, currency }: Plan, option: PlanOption): Promise<void> {
  const { out } = context
  await out.line('')
  await out.line(`Recommended: ${option.threshold} of ${option.count}, ${option.layout}: ${option.locations.map(printable).join(', ')}`)
  for (const { code, amount, lacks } of reasons) {
    const words = {
      'cheapest-that-meets': 'It is the cheapest that has all you want.',
      'smallest-that-meets': 'It keeps the fewest bytes of all that have what you want (prices are not stated).',
      'none-meets': `Nothing has all you want; this comes nearest. It lacks ${(lacks ?? []).map((one) => LACKS[one as keyof typeof LACKS]).join(', ')}.`,
      saves: `It saves ${amount?.toFixed(2) ?? '0'} ${currency ?? ''} a month against now.`,
      'as-it-is': 'It is what the vault has now.',
      'safer-than-now': 'It is safer than now.',
    }[code]
    await out.line(`  ${words}`)
  }
  const name = (one: string): string => (one === '?' ? 'one that is not named' : printable(one))
  for (const { code, about } of option.warnings) await out.line(`  Mind: ${WARNINGS[code](about.map(name).join(', '))}.`)
}

/** `99.97 %`: as many digits as tell it from 100. */
function nines(part: number): string {
  const digits = part >= 1 ? 0 : Math.min(9, Math.max(0, Math.ceil(-Math.log10(1 - part)) - 1))
  return `${(Math.floor(part * 10 ** (digits + 2)) / 10 ** digits).toFixed(digits)} %`
}

function stated<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

/** JSON: an array of {label, traits}, as `quorate health --json` shows locations. */
async function readCandidates(file: string, { least }: { readonly least: number }): Promise<PlanCandidate[]> {
  try {
    const text = await readFile(file, 'utf8')
    if (text.length > FILE_BYTES_MAX) throw new Error('too large')
    return planCandidate.array().min(least).max(10).parse(JSON.parse(text))
  } catch (error) {
    throw new Failure('cli.file', {
      detail: `${file} holds no candidates`,
      next: `Write a JSON array of ${least} to 10 objects {"label": ..., "traits": {"provider": ..., "price": {...}}}; see docs/operate/planner.md.`,
      culprits: [file],
      cause: error,
    })
  }
}
