// What each location did in the last thirty days, what it costs, and what people say of it.
import type { MeasuredLocation } from '#contract'
import { Button } from '@mantine/core'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { shownMoney } from '../measures/money.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './health.module.css'
import { useHealthWords } from './words.ts'

const TraitsDialog = lazy(async () => ({ default: (await import('./traits-dialog.tsx')).TraitsDialog }))

export function Measured({ locations }: { readonly locations: readonly MeasuredLocation[] }): ReactNode {
  const { measures } = useSpeech()
  const words = useHealthWords()
  const [described, setDescribed] = useState<MeasuredLocation | undefined>()
  const milliseconds = (ms: number | null): string => (ms === null ? '–' : measures.milliseconds(ms))
  return (
    <section className={styles.block} aria-labelledby="health-locations">
      <h2 id="health-locations">{words.locations}</h2>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label={`${words.locations}: ${words.table}`}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{words.location}</th>
              <th scope="col">{words.latency}</th>
              <th scope="col">{words.errors}</th>
              <th scope="col">{words.requests}</th>
              <th scope="col">{words.bytesIn}</th>
              <th scope="col">{words.bytesOut}</th>
              <th scope="col">{words.cost}</th>
              <th scope="col">{words.described}</th>
            </tr>
          </thead>
          <tbody>
            {locations.map((location) => {
              const { usage, traits, costPerMonth } = location
              const calls = usage.puts + usage.gets
              return (
                <tr key={location.id}>
                  <th scope="row">{location.label}</th>
                  <td>
                    {milliseconds(usage.p50Ms)}, {milliseconds(usage.p95Ms)}
                  </td>
                  <td>{calls === 0 ? '–' : `${measures.decimal((usage.errors / calls) * 100, usage.errors === 0 ? 0 : 2)} %`}</td>
                  <td>{measures.number(calls)}</td>
                  <td>{measures.bytes(usage.bytesIn)}</td>
                  <td>{measures.bytes(usage.bytesOut)}</td>
                  <td>{costPerMonth === null ? words.unpriced : shownMoney(measures, costPerMonth.amount, costPerMonth.currency)}</td>
                  <td>
                    <span className={styles.row}>
                      <span>{[traits.provider, traits.region, traits.jurisdiction].filter((one) => one !== undefined).join(', ')}</span>
                      <Button
                        variant="default"
                        size="compact-xs"
                        aria-label={words.describeOf(location.label)}
                        onClick={() => setDescribed(location)}
                      >
                        {words.describe}
                      </Button>
                    </span>
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
      <Suspense>{described !== undefined && <TraitsDialog location={described} close={() => setDescribed(undefined)} />}</Suspense>
    </section>
  )
}
