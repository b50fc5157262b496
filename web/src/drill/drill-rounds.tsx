// What came back in each round of a drill.
import type { DrillReport } from '#contract'
import type { ReactNode } from 'react'
import styles from '../health/health.module.css'
import { useSpeech } from '../words/words.tsx'
import { useDrillWords } from './words.ts'

export function DrillRounds({ report }: { readonly report: DrillReport }): ReactNode {
  const { measures } = useSpeech()
  const words = useDrillWords()
  const part = (n: number, all: number): string => words.of(measures.number(n), measures.number(all))
  return (
    <div className={styles.scroll} tabIndex={0} role="region" aria-label={`${words.title}: ${words.rounds}`}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{words.without}</th>
            <th scope="col">{words.product}</th>
            <th scope="col">{words.python}</th>
            <th scope="col">{words.equal}</th>
          </tr>
        </thead>
        <tbody>
          {report.rounds.map(({ location, blocked, files, product, recoverPy, equal }) => (
            <tr key={location}>
              <th scope="row">{blocked}</th>
              <td>{part(product, files)}</td>
              <td>{part(recoverPy, files)}</td>
              <td>{part(equal, files)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
