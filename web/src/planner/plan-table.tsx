// The unbeaten choices in numbers; each can be looked at.
import type { Plan, PlanOption } from '#contract'
import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { useSpeech } from '../words/words.tsx'
import { shownMoney } from '../measures/money.ts'
import { placeNames } from '../pictures/place-names.ts'
import { nines } from './plan-picture.ts'
import styles from './planner.module.css'
import { usePlannerWords } from './words.ts'

const ROWS_MAX = 40

export function PlanTable({ plan, look }: { readonly plan: Plan; readonly look: (option: PlanOption) => void }): ReactNode {
  const { measures } = useSpeech()
  const words = usePlannerWords()
  const labels = [...new Set(plan.options.flatMap(({ locations }) => locations))]
  const short = new Map(placeNames(labels).map((name, index) => [labels[index]!, name]))
  const marked = [plan.recommended, plan.current]
  const rows = plan.options.flatMap((option, index) => ((option.front && option.best) || marked.includes(index) ? [{ option, index }] : []))
  const shown = rows.filter(({ index }, row) => row < ROWS_MAX || marked.includes(index))
  return (
    <section className={styles.block} aria-labelledby="plan-table">
      <h2 id="plan-table">{words.table}</h2>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label={`${words.title}: ${words.table}`}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{words.option}</th>
              <th scope="col">{words.cost}</th>
              <th scope="col">{words.kept}</th>
              <th scope="col">{words.readable}</th>
              <th scope="col">{words.loss}</th>
              <th scope="col">{words.providers}</th>
              <th scope="col">{words.jurisdictions}</th>
              <th scope="col">{words.locations}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ option, index }) => {
              const rule = `${words.rule(measures.number(option.threshold), measures.number(option.count))}, ${words.layouts[option.layout]}`
              const { value, digits } = nines(option.availability)
              return (
                <tr key={option.id} data-now={index === plan.current}>
                  <th scope="row">
                    <Button variant="subtle" size="compact-sm" onClick={() => look(option)}>
                      {rule}
                    </Button>
                    {index === plan.current && <span className={styles.tag}>{words.now}</span>}
                    {index === plan.recommended && <span className={styles.tag}>{words.best}</span>}
                  </th>
                  <td>{option.cost === null ? words.unpriced : shownMoney(measures, option.cost.total, plan.currency)}</td>
                  <td>{measures.bytes(option.keptBytes)}</td>
                  <td>{measures.decimal(value, digits)} %</td>
                  <td>{option.lossPerYear === 0 ? '0' : option.lossPerYear.toExponential(0)}</td>
                  <td>{measures.number(option.providers.least)}</td>
                  <td>{measures.number(option.jurisdictions.least)}</td>
                  <td>{option.locations.map((label) => short.get(label) ?? label).join(', ')}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </section>
  )
}
