// Which locations, which k, which layout: every choice among a few candidates, what it costs and what it is worth. Pure; the model is in
// planner-model.ts and docs/operate/planner.md.
import { Failure } from '#base'
import type { Layout, Plan, PlanCandidate, PlanOption, PlanWants, PlanWarning } from '#contract'
import { dealable } from '#format'
import {
  answering,
  atLeast,
  colludingSets,
  leastColluders,
  lossesPerYear,
  lossPerYear,
  type ModelPlace,
  paretoFront,
} from './planner-model.ts'

export interface NumberedCandidate extends PlanCandidate {
  /** As people know it, for the name of a choice; else its place on the list. */
  readonly number?: string | undefined
}

export interface PlanQuestion {
  readonly candidates: readonly NumberedCandidate[]
  readonly bytes: number
  readonly files: number
  readonly layouts: readonly Layout[]
  readonly threshold?: number | undefined
  readonly count?: number | undefined
  readonly readShare: number
  readonly newFilesPerMonth: number
  readonly tagsPerYear: number
  readonly fullPerYear: number
  readonly repairDays: number
  readonly together: number
  readonly wants: PlanWants
  /** Id of a choice that is told of in any case. */
  readonly choice?: string | undefined
  /** The vault as it is, with the labels of its locations; compared with the others whatever is asked for, when all of them are candidates. */
  readonly current?: { readonly threshold: number; readonly layout: Layout; readonly locations: readonly string[] } | undefined
}

/** Where people say nothing. Losing a location means all of it at once: an account closed, a key stolen, a machine burnt. */
const ASSUMED = { availability: 0.99, durability: 0.99 } as const
/** All that is not stated counts as one and the same. */
export const UNKNOWN = '?'
const CANDIDATES_MAX = 10
const OPTIONS_MAX = 150
const SETS_MAX = 12
const GIB = 2 ** 30
/** One request reads so much in order; a fragment costs two more, for its tail and its beginning. */
const BYTES_PER_GET = 8 * 2 ** 20
const NAMES_PER_LIST = 1000

export function planPlacement(question: PlanQuestion): Plan {
  const { candidates } = question
  if (candidates.length < 2 || candidates.length > CANDIDATES_MAX)
    throw new Failure('base.invalid', {
      detail: `the planner compares 2 to ${CANDIDATES_MAX} locations, not ${candidates.length}`,
      next: 'Name those that you really consider.',
    })
  if (new Set(candidates.map(({ label }) => label)).size !== candidates.length)
    throw new Failure('base.invalid', { detail: 'two candidates have the same label' })
  const asked = subsets(candidates.length, question.count).flatMap((members) => choicesOf(question, members))
  const now = asked.find(({ id }) => id === currentId(question)) ?? currentOf(question)
  const drafts = now === undefined || asked.includes(now) ? asked : [...asked, now]
  if (asked.length === 0)
    throw new Failure('crypto.threshold', {
      detail: 'no choice of locations fits this threshold and count',
      next: 'Choose a threshold that is not larger than the number of locations.',
    })
  const priced = drafts.every(({ cost }) => cost !== null)
  const price = (option: PlanOption): number => (priced ? option.cost!.total : option.keptBytes)
  const front = paretoFront(drafts, (option) => [
    round(price(option), 4),
    // Differences below a twentieth of a power of ten are none that anybody feels.
    Math.round(Math.log10(Math.max(1e-15, 1 - option.availability)) * 20),
    Math.round(Math.log10(Math.max(1e-18, option.lossPerYear)) * 20),
    -option.providers.least,
    -option.jurisdictions.least,
  ])
  const order = (a: PlanOption, b: PlanOption): number =>
    a.lacks.length - b.lacks.length ||
    round(price(a), 6) - round(price(b), 6) ||
    b.providers.least - a.providers.least ||
    b.jurisdictions.least - a.jurisdictions.least ||
    a.lossPerYear - b.lossPerYear ||
    a.count - b.count
  const bests = new Set(
    [...Map.groupBy(drafts, (one) => `${one.threshold} ${one.count} ${one.layout}`).values()].map((same) => same.toSorted(order)[0]!),
  )
  // What was not asked for is shown as it is now, and never recommended.
  const recommended = asked.toSorted(order)[0]!
  const named = drafts.find(({ id }) => id === question.choice)
  const kept = new Set([recommended, ...[now, named].filter((one) => one !== undefined), ...bests])
  for (const one of [...front].toSorted(order)) if (kept.size < OPTIONS_MAX) kept.add(one)
  const chosen = [...kept].toSorted((a, b) => price(a) - price(b) || order(a, b))
  const options = chosen.map((one) => finished(question, one, { front: front.has(one), best: bests.has(one) }))
  return {
    currency: priced ? (candidates[0]!.traits.price?.currency ?? null) : null,
    bytes: question.bytes,
    files: question.files,
    considered: drafts.length,
    options,
    recommended: chosen.indexOf(recommended),
    current: now === undefined ? null : chosen.indexOf(now),
    reasons: reasonsFor(recommended, now, priced),
  }
}

/** All choices of one set of locations. Sets of colluders are worked out for those that are shown. */
function choicesOf(question: PlanQuestion, members: readonly number[]): PlanOption[] {
  const chosen = members.map((index) => question.candidates[index]!)
  const n = chosen.length
  const away = places(chosen, ({ availability = ASSUMED.availability }) => 1 - availability)
  const losing = places(chosen, ({ durability = ASSUMED.durability }) => -Math.log(Math.max(1e-12, durability)))
  const together = answering(away, question.together)
  const alone = answering(away, 0)
  const providers = chosen.map(({ traits }) => traits.provider ?? UNKNOWN)
  const jurisdictions = chosen.map(({ traits }) => traits.jurisdiction ?? UNKNOWN)
  const model = { together: question.together, repairYears: question.repairDays / 365.25 }
  const options: PlanOption[] = []
  for (let k = 2; k <= n; k++) {
    if ((question.threshold !== undefined && k !== question.threshold) || !dealable(k, n)) continue
    const loss = lossPerYear(lossesPerYear(k, losing, model))
    for (const layout of question.layouts) {
      const option: PlanOption = {
        id: idOf(question, members, { k, layout }),
        threshold: k,
        count: n,
        layout,
        locations: chosen.map(({ label }) => label),
        keptBytes: keptBytes(question.bytes, { k, n, layout }),
        cost: costOf(question, chosen, { k, layout }),
        availability: atLeast(k, together),
        availabilityAlone: atLeast(k, alone),
        writeAvailability: atLeast(Math.max(k, n - 1), together),
        lossPerYear: loss,
        providers: { least: leastColluders(k, providers)!, sets: [] },
        jurisdictions: { least: leastColluders(k, jurisdictions)!, sets: [] },
        warnings: [],
        lacks: [],
        change: null,
        front: false,
        best: false,
      }
      options.push({ ...option, lacks: lacksOf(option, question.wants) })
    }
  }
  return options
}

function lacksOf(option: PlanOption, wants: PlanWants): PlanOption['lacks'] {
  const lacks: PlanOption['lacks'] = []
  if (option.availability < wants.availability) lacks.push('availability')
  if (option.lossPerYear > wants.lossPerYear) lacks.push('lossPerYear')
  if (option.providers.least < wants.providers) lacks.push('providers')
  if (option.jurisdictions.least < wants.jurisdictions) lacks.push('jurisdictions')
  if (option.count - option.threshold < wants.spare) lacks.push('spare')
  return lacks
}

function keptBytes(bytes: number, { k, n, layout }: { readonly k: number; readonly n: number; readonly layout: Layout }): number {
  return layout === 'shared' ? bytes * n : (bytes * n) / k
}

/** "Cost": of a month. Null where a price is not stated or the currencies differ. */
export function costOf(
  question: Pick<PlanQuestion, 'bytes' | 'files' | 'readShare' | 'newFilesPerMonth' | 'tagsPerYear' | 'fullPerYear'>,
  chosen: readonly PlanCandidate[],
  { k, layout }: { readonly k: number; readonly layout: Layout },
): PlanOption['cost'] {
  const prices = chosen.flatMap(({ traits }) => (traits.price === undefined ? [] : [traits.price]))
  if (prices.length < chosen.length || new Set(prices.map(({ currency }) => currency)).size > 1) return null
  const n = chosen.length
  const fragmentBytes = layout === 'shared' ? question.bytes : question.bytes / k
  const gib = fragmentBytes / GIB
  const gets = question.files * 2 + fragmentBytes / BYTES_PER_GET
  // Any k of n are asked; which ones is not known beforehand, so each is asked k/n of the time.
  const readParts = question.readShare * (k / n)
  const checkParts = question.tagsPerYear / 12 + (question.fullPerYear / 12) * (k / n)
  let [storing, requests, reading, checking] = [0, 0, 0, 0]
  for (const { perGiBMonth, perGiBOut, per10kPuts, per10kGets } of prices) {
    const get = per10kGets / 10_000
    const put = per10kPuts / 10_000
    storing += gib * perGiBMonth
    requests += question.newFilesPerMonth * 2 * put
    reading += readParts * (gib * perGiBOut + gets * get)
    checking += checkParts * (gib * perGiBOut + gets * get) + (question.files / NAMES_PER_LIST) * 30 * put
  }
  return { storing, requests, reading, checking, total: storing + requests + reading + checking }
}

function finished(question: PlanQuestion, option: PlanOption, flags: { readonly front: boolean; readonly best: boolean }): PlanOption {
  const chosen = question.candidates.filter(({ label }) => option.locations.includes(label))
  const providers = chosen.map(({ traits }) => traits.provider ?? UNKNOWN)
  const jurisdictions = chosen.map(({ traits }) => traits.jurisdiction ?? UNKNOWN)
  const sets = {
    providers: colludingSets(option.threshold, providers, SETS_MAX),
    jurisdictions: colludingSets(option.threshold, jurisdictions, SETS_MAX),
  }
  return {
    ...option,
    ...flags,
    providers: { least: option.providers.least, sets: sets.providers },
    jurisdictions: { least: option.jurisdictions.least, sets: sets.jurisdictions },
    warnings: warningsOf(option, chosen, sets),
  }
}

function warningsOf(
  option: PlanOption,
  chosen: readonly PlanCandidate[],
  sets: { readonly providers: readonly string[][]; readonly jurisdictions: readonly string[][] },
): PlanWarning[] {
  const { threshold: k, count: n } = option
  const warnings: PlanWarning[] = []
  const warn = (code: PlanWarning['code'], about: readonly string[]): void => {
    warnings.push({ code, about: [...about] })
  }
  const lacking = (has: (one: PlanCandidate) => boolean): string[] => chosen.filter((one) => !has(one)).map(({ label }) => label)
  if (option.providers.least === 1) warn('one-provider-opens', sets.providers.flat())
  if (option.jurisdictions.least === 1) warn('one-jurisdiction-opens', sets.jurisdictions.flat())
  const byProvider = Map.groupBy(chosen, ({ traits }) => traits.provider ?? UNKNOWN)
  const needed = [...byProvider].filter(([, members]) => n - members.length < k).map(([provider]) => provider)
  if (n === k) warn('no-spare', [])
  else if (needed.length > 0) warn('one-provider-down', needed)
  if (option.cost === null) {
    const unpriced = lacking(({ traits }) => traits.price !== undefined)
    if (unpriced.length > 0) warn('unpriced', unpriced)
    else warn('currencies', [...new Set(chosen.map(({ traits }) => traits.price!.currency))])
  }
  for (const [code, has] of [
    ['unknown-provider', ({ traits }: PlanCandidate) => traits.provider !== undefined],
    ['unknown-jurisdiction', ({ traits }: PlanCandidate) => traits.jurisdiction !== undefined],
    ['assumed-availability', ({ traits }: PlanCandidate) => traits.availability !== undefined],
    ['assumed-durability', ({ traits }: PlanCandidate) => traits.durability !== undefined],
  ] as const) {
    const without = lacking(has)
    if (without.length > 0) warn(code, without)
  }
  if (option.layout === 'sealed') warn('sealed-computational', [])
  return warnings
}

/** Where the locations of the vault stand among the candidates; undefined when one of them does not. */
function currentMembers({ current, candidates }: PlanQuestion): number[] | undefined {
  const members = current?.locations.map((one) => candidates.findIndex(({ label }) => label === one)) ?? []
  return members.length < 2 || members.includes(-1) ? undefined : members.toSorted((a, b) => a - b)
}

function currentId(question: PlanQuestion): string | undefined {
  const { current } = question
  const members = currentMembers(question)
  return current === undefined || members === undefined
    ? undefined
    : idOf(question, members, { k: current.threshold, layout: current.layout })
}

/** The present shape, also where the question asks for others only. */
function currentOf(question: PlanQuestion): PlanOption | undefined {
  const { current } = question
  const members = currentMembers(question)
  if (current === undefined || members === undefined) return undefined
  return choicesOf({ ...question, threshold: current.threshold, layouts: [current.layout] }, members)[0]
}

function idOf(
  { candidates }: PlanQuestion,
  members: readonly number[],
  { k, layout }: { readonly k: number; readonly layout: Layout },
): string {
  return `${k}-${layout}-${members.map((index) => candidates[index]!.number ?? index + 1).join('.')}`
}

function reasonsFor(recommended: PlanOption, now: PlanOption | undefined, priced: boolean): Plan['reasons'] {
  const reasons: Plan['reasons'] = [
    recommended.lacks.length > 0
      ? { code: 'none-meets', lacks: recommended.lacks }
      : { code: priced ? 'cheapest-that-meets' : 'smallest-that-meets' },
  ]
  if (now === undefined) return reasons
  if (now === recommended) return [...reasons, { code: 'as-it-is' }]
  const saves = priced ? now.cost!.total - recommended.cost!.total : 0
  // Less than a cent is no reason.
  if (saves >= 0.005) reasons.push({ code: 'saves', amount: saves })
  if (recommended.lossPerYear < now.lossPerYear || recommended.lacks.length < now.lacks.length) reasons.push({ code: 'safer-than-now' })
  return reasons
}

function places(chosen: readonly PlanCandidate[], failing: (traits: PlanCandidate['traits']) => number): ModelPlace[] {
  return chosen.map(({ traits }) => ({ group: traits.provider ?? UNKNOWN, failing: failing(traits) }))
}

/** Index sets with at least two members, or with exactly `size`. */
function subsets(of: number, size: number | undefined): number[][] {
  return Array.from({ length: 2 ** of }, (_, bits) => Array.from({ length: of }, (__, i) => i).filter((i) => (bits >> i) % 2 === 1)).filter(
    ({ length }) => (size === undefined ? length >= 2 : length === size),
  )
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits
}
