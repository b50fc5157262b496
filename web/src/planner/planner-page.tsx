// People move k, n and size, and see what it costs, how safe it is, and who could read together.
import type { Plan, PlanCandidate, PlanOption, PlanRequest } from '#contract'
import { Button, Pill, SegmentedControl, Skeleton } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useDeferredValue, useEffect, useState, type ReactNode } from 'react'
import { hrefOf } from '../app/route.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useStatus } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import { OptionCard } from './option-card.tsx'
import { type Choice, chosenOf, SIZES } from './plan-picture.ts'
import { PlanScatter } from './plan-scatter.tsx'
import { PlanTable } from './plan-table.tsx'
import styles from './planner.module.css'
import { Slide } from './slide.tsx'
import { TakeChoice } from './take-choice.tsx'
import { usePlannerWords } from './words.ts'

const READ_SHARES = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5] as const

const CANDIDATES_MAX = 10
const ThoughtDialog = lazy(async () => ({ default: (await import('./thought-dialog.tsx')).ThoughtDialog }))

/** Locations that are only thought of: kept while the tab is open, so that one may be added meanwhile. */
let thoughtOf: readonly PlanCandidate[] = []

export function PlannerPage(): ReactNode {
  const { words: all, measures } = useSpeech()
  const words = usePlannerWords()
  /** Undefined: what the vault holds. */
  const [size, setSize] = useState<number | undefined>()
  const [readShare, setReadShare] = useState(0.1)
  const [providers, setProviders] = useState(2)
  const [jurisdictions, setJurisdictions] = useState(1)
  const [choice, setChoice] = useState<Choice | undefined>()
  const [thoughts, setThoughts] = useState(thoughtOf)
  const [thinking, setThinking] = useState(false)
  const { data: status } = useStatus()
  const owned = status?.locations.map(({ label }) => label) ?? []
  // One that was added meanwhile is thought of no longer.
  const also = thoughts.filter(({ label }) => !owned.includes(label))
  const think = (next: readonly PlanCandidate[]): void => {
    thoughtOf = next
    setThoughts(next)
  }
  const request: PlanRequest = {
    readShare,
    wants: { providers, jurisdictions },
    ...(size === undefined ? {} : { bytes: SIZES[size]! }),
    ...(also.length === 0 ? {} : { also: [...also] }),
  }
  const asked = useDeferredValue(request)
  const plan = useQuery({
    queryKey: ['plan', asked],
    queryFn: ({ signal }) => client.plan(asked, { signal }),
    placeholderData: keepPreviousData,
  })
  useEffect(() => {
    document.title = `${words.title} · ${all.app.name}`
  }, [words, all])
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>{words.title}</h1>
        <p className={styles.soft}>{words.lead}</p>
        <p className={styles.soft}>
          {words.describe} <a href={hrefOf({ page: 'health' })}>{words.toHealth}</a>
        </p>
        <div className={styles.thoughts}>
          {also.map(({ label }) => (
            <Pill
              key={label}
              size="md"
              withRemoveButton
              onRemove={() => think(also.filter((one) => one.label !== label))}
              removeButtonProps={{ 'aria-label': words.thought.drop(label), tabIndex: 0, 'aria-hidden': false }}
            >
              {label}
            </Pill>
          ))}
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<IconPlus size={16} aria-hidden />}
            disabled={owned.length + also.length >= CANDIDATES_MAX}
            title={owned.length + also.length >= CANDIDATES_MAX ? words.thought.most : undefined}
            onClick={() => setThinking(true)}
          >
            {words.thought.add}
          </Button>
        </div>
      </div>
      {thinking && (
        <Suspense>
          <ThoughtDialog
            taken={[...owned, ...also.map(({ label }) => label)]}
            add={(one) => think([...also, one])}
            close={() => setThinking(false)}
          />
        </Suspense>
      )}
      <TroubleBox error={plan.error} retry={() => void plan.refetch()} />
      {plan.isPending && <Skeleton height={420} radius="lg" />}
      {plan.data !== undefined && (
        <Planned plan={plan.data} choice={choice} setChoice={setChoice}>
          <Slide
            label={words.size}
            value={size ?? nearest(plan.data.bytes)}
            max={SIZES.length - 1}
            text={measures.bytes(size === undefined ? plan.data.bytes : SIZES[size]!)}
            change={setSize}
          />
          <Slide
            label={words.reading}
            value={READ_SHARES.findIndex((one) => one === readShare)}
            max={READ_SHARES.length - 1}
            text={measures.percent(readShare)}
            change={(index) => setReadShare(READ_SHARES[index] ?? 0.1)}
          />
          <Slide label={words.wantProviders} value={providers} min={1} max={5} text={String(providers)} change={setProviders} />
          <Slide
            label={words.wantJurisdictions}
            value={jurisdictions}
            min={1}
            max={5}
            text={String(jurisdictions)}
            change={setJurisdictions}
          />
        </Planned>
      )}
      <p className={styles.soft}>{words.model}</p>
    </div>
  )
}

interface PlannedProps {
  readonly plan: Plan
  readonly choice: Choice | undefined
  readonly setChoice: (choice: Choice) => void
  readonly children: ReactNode
}

function Planned({ plan, choice, setChoice, children }: PlannedProps): ReactNode {
  const { measures } = useSpeech()
  const words = usePlannerWords()
  const recommended = plan.recommended === null ? undefined : plan.options[plan.recommended]
  const current = plan.current === null ? undefined : plan.options[plan.current]
  const most = Math.max(...plan.options.map(({ count }) => count))
  const first = current ?? recommended ?? plan.options[0]!
  const { id, threshold, count, layout } = choice ?? first
  const chosen = chosenOf(plan.options, { id, threshold, count, layout })
  const look = (option: PlanOption): void =>
    setChoice({ id: option.id, threshold: option.threshold, count: option.count, layout: option.layout })
  return (
    <>
      <section className={styles.block} aria-label={words.wants}>
        <div className={styles.sliders}>
          <Slide
            label={words.count}
            value={count}
            min={2}
            max={most}
            text={measures.number(count)}
            change={(n) => setChoice({ threshold: Math.min(threshold, n), count: n, layout })}
          />
          <Slide
            label={words.threshold}
            value={threshold}
            min={2}
            max={count}
            text={measures.number(threshold)}
            change={(k) => setChoice({ threshold: k, count, layout })}
          />
          {children}
        </div>
        <SegmentedControl
          aria-label={words.layout}
          value={layout}
          onChange={(value) => setChoice({ threshold, count, layout: value === 'sealed' ? 'sealed' : 'shared' })}
          data={(['shared', 'sealed'] as const).map((value) => ({ value, label: words.layouts[value] }))}
        />
      </section>
      <div className={styles.two}>
        <section className={styles.block} aria-labelledby="plan-choice" aria-live="polite" data-testid="plan-choice">
          <h2 id="plan-choice">{words.choice}</h2>
          {chosen === undefined ? (
            <p className={styles.soft}>{words.none}</p>
          ) : (
            <>
              <OptionCard option={chosen} currency={plan.currency} />
              <TakeChoice option={chosen} isNow={chosen === current} />
            </>
          )}
        </section>
        {recommended !== undefined && (
          <section className={styles.block} aria-labelledby="plan-recommended" data-testid="plan-recommended">
            <div className={styles.row}>
              <h2 id="plan-recommended">{words.recommended}</h2>
              <Button variant="default" size="compact-sm" onClick={() => look(recommended)}>
                {words.look}
              </Button>
            </div>
            <ul className={styles.reasons}>
              {plan.reasons.map(({ code, amount, lacks }) => (
                <li key={code}>
                  {words.reasons[code](
                    amount === undefined
                      ? (lacks ?? []).map((one) => words.lacks[one as keyof typeof words.lacks]).join(', ')
                      : `${measures.decimal(amount, 2)} ${plan.currency ?? ''}`,
                  )}
                </li>
              ))}
            </ul>
            <OptionCard option={recommended} currency={plan.currency} />
          </section>
        )}
      </div>
      <PlanScatter plan={plan} chosen={chosen} />
      <PlanTable plan={plan} look={look} />
    </>
  )
}

function nearest(bytes: number): number {
  const found = SIZES.findIndex((size) => size >= bytes)
  return found < 0 ? SIZES.length - 1 : found
}
