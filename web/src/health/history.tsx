// How the vault was: three curves over one time, and the same as a table for those who read rather than look.
import type { HealthSample } from '#contract'
import { SegmentedControl, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import { areaPaths } from './curve.ts'
import styles from './health.module.css'
import { useHealthWords } from './words.ts'

const SPANS = [7, 30, 365] as const
const DAY_MS = 86_400_000
const WIDTH = 720
const HEIGHT = 64
const ROWS_MAX = 100

const CURVES = [
  ['due', ({ lost, corrupt, pending }: HealthSample) => lost + corrupt + pending],
  ['weak', ({ withoutRedundancy }: HealthSample) => withoutRedundancy],
  ['away', ({ away }: HealthSample) => away],
] as const

export function History(): ReactNode {
  const { measures } = useSpeech()
  const words = useHealthWords()
  const [days, setDays] = useState<(typeof SPANS)[number]>(30)
  const history = useQuery({
    queryKey: ['health-history', days],
    queryFn: ({ signal }) => client.healthHistory({ days }, { signal }),
    refetchInterval: 60_000,
  })
  const samples = history.data?.samples ?? []
  return (
    <section className={styles.block} aria-labelledby="health-history">
      <div className={styles.row}>
        <h2 id="health-history">{words.history}</h2>
        <SegmentedControl
          aria-label={words.span}
          size="xs"
          value={String(days)}
          onChange={(value) => setDays(SPANS.find((span) => String(span) === value) ?? 30)}
          data={SPANS.map((span) => ({ value: String(span), label: words.days[span] }))}
        />
      </div>
      <TroubleBox error={history.error} retry={() => void history.refetch()} />
      {history.isPending && <Skeleton height={240} radius="lg" />}
      {history.data !== undefined && samples.length === 0 && <p className={styles.none}>{words.historyEmpty}</p>}
      {samples.length > 0 && (
        <>
          {CURVES.map(([name, valueOf]) => (
            <Curve key={name} name={name} samples={samples} days={days} valueOf={valueOf} />
          ))}
          <details className={styles.details}>
            <summary>{words.table}</summary>
            <div className={styles.scroll} tabIndex={0} role="region" aria-label={`${words.history}: ${words.table}`}>
              <table className={styles.table}>
                <thead>
                  <tr>
                    <th scope="col">{words.when}</th>
                    <th scope="col">{words.files}</th>
                    {CURVES.map(([name]) => (
                      <th scope="col" key={name}>
                        {words.curves[name]}
                      </th>
                    ))}
                    <th scope="col">{words.covered}</th>
                  </tr>
                </thead>
                <tbody>
                  {samples
                    .toReversed()
                    .slice(0, ROWS_MAX)
                    .map((sample) => (
                      <tr key={sample.at}>
                        <th scope="row">{measures.date(sample.at)}</th>
                        <td>{measures.number(sample.files)}</td>
                        {CURVES.map(([name, valueOf]) => (
                          <td key={name}>{measures.number(valueOf(sample))}</td>
                        ))}
                        <td>{measures.percent(sample.covered.tags)}</td>
                      </tr>
                    ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </section>
  )
}

interface CurveProps {
  readonly name: 'due' | 'weak' | 'away'
  readonly samples: readonly HealthSample[]
  readonly days: number
  readonly valueOf: (sample: HealthSample) => number
}

function Curve({ name, samples, days, valueOf }: CurveProps): ReactNode {
  const { measures } = useSpeech()
  const words = useHealthWords()
  const points = samples.map((sample) => ({ at: Date.parse(sample.at), value: valueOf(sample) }))
  const untilMs = Math.max(points.at(-1)!.at, Date.now())
  const fromMs = Math.min(points[0]!.at, Math.max(points[0]!.at, untilMs - days * DAY_MS))
  const most = Math.max(...points.map(({ value }) => value))
  const text = words.curveText(words.curves[name], measures.number(most), measures.number(points.at(-1)!.value))
  return (
    <figure className={styles.curve} data-testid={`curve-${name}`}>
      <figcaption>
        {words.curves[name]} <span>{measures.number(points.at(-1)!.value)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={text}>
        <line x1="0" y1={HEIGHT} x2={WIDTH} y2={HEIGHT} className={styles.ground} />
        {areaPaths(points, { width: WIDTH, height: HEIGHT, fromMs, untilMs }).map((path) => (
          <path key={path} d={path} className={styles.area} data-curve={name} />
        ))}
      </svg>
      <p className={styles.axis} aria-hidden>
        <span>{measures.when(new Date(fromMs).toISOString())}</span>
        <span>{measures.when(new Date(untilMs).toISOString())}</span>
      </p>
    </figure>
  )
}
