// One choice in full: cost in parts, how often it answers, how likely it loses, who could read together, what to mind.
import type { PlanOption } from '#contract'
import type { ReactNode } from 'react'
import { shownMoney } from '../measures/money.ts'
import { placeNames } from '../pictures/place-names.ts'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { useSpeech } from '../words/words.tsx'
import { nines } from './plan-picture.ts'
import styles from './planner.module.css'
import { usePlannerWords } from './words.ts'

const COSTS = ['storing', 'requests', 'reading', 'checking'] as const
const GRAVE: ReadonlySet<string> = new Set(['one-provider-opens', 'one-jurisdiction-opens', 'no-spare'])

export function OptionCard({ option, currency }: { readonly option: PlanOption; readonly currency: string | null }): ReactNode {
  const { measures } = useSpeech()
  const words = usePlannerWords()
  const { cost } = option
  const money = (amount: number): string => shownMoney(measures, amount, currency)
  const part = (value: number): string => {
    const shown = nines(value)
    return `${measures.decimal(shown.value, shown.digits)} %`
  }
  const short = new Map(placeNames(option.locations).map((name, index) => [option.locations[index]!, name]))
  const named = (what: keyof typeof words.unknown, one: string): string => (one === '?' ? words.unknown[what] : (short.get(one) ?? one))
  const sets = (what: keyof typeof words.unknown, all: readonly (readonly string[])[]): string =>
    all.map((set) => set.map((one) => named(what, one)).join(' + ')).join('; ')
  return (
    <>
      <p className={styles.rule}>
        <strong>{words.rule(measures.number(option.threshold), measures.number(option.count))}</strong>, {words.layouts[option.layout]}:{' '}
        {[...short.values()].join(', ')}
      </p>
      {option.lacks.length > 0 && (
        <p className={styles.mind}>
          <ToneIcon tone="warn" /> {words.lacking(option.lacks.map((one) => words.lacks[one]).join(', '))}
        </p>
      )}
      <dl className={styles.facts}>
        <div>
          <dt>{words.cost}</dt>
          <dd>{cost === null ? words.unpriced : money(cost.total)}</dd>
          {cost !== null && (
            <dd className={styles.parts}>
              {COSTS.filter((name) => cost[name] >= 0.005)
                .map((name) => `${words.costs[name]} ${measures.decimal(cost[name], 2)}`)
                .join(', ')}
            </dd>
          )}
        </div>
        <div>
          <dt>{words.kept}</dt>
          <dd>{measures.bytes(option.keptBytes)}</dd>
        </div>
        <div>
          <dt>{words.readable}</dt>
          <dd>{part(option.availability)}</dd>
        </div>
        <div>
          <dt>{words.writable}</dt>
          <dd>{part(option.writeAvailability)}</dd>
        </div>
        <div>
          <dt>{words.loss}</dt>
          <dd>{option.lossPerYear === 0 ? '0' : option.lossPerYear.toExponential(0)}</dd>
        </div>
        <div className={styles.whole}>
          <dt>{words.providers}</dt>
          <dd>{measures.number(option.providers.least)}</dd>
          <dd className={styles.parts}>{words.together(sets('provider', option.providers.sets))}</dd>
        </div>
        <div className={styles.whole}>
          <dt>{words.jurisdictions}</dt>
          <dd>{measures.number(option.jurisdictions.least)}</dd>
          <dd className={styles.parts}>{words.together(sets('jurisdiction', option.jurisdictions.sets))}</dd>
        </div>
      </dl>
      {option.warnings.length > 0 && (
        <ul className={styles.warnings} aria-label={words.mind}>
          {option.warnings.map(({ code, about }) => (
            <li key={code}>
              <ToneIcon tone={GRAVE.has(code) ? 'bad' : 'idle'} />
              <span>
                {words.warnings[code](
                  about.map((one) => named(code === 'one-jurisdiction-opens' ? 'jurisdiction' : 'provider', one)).join(', '),
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
