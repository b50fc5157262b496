// Messages about alarms: what arrived, what waits and why.
import type { Delivery } from '#contract'
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './alarms.module.css'
import { every, isDenied } from './permitted.ts'
import { useAlarmWords } from './words.ts'

const TONES = { waiting: 'warn', delivered: 'good', failed: 'bad' } as const
const REFRESH_MS = 10_000
const PAGE = 20

export function Deliveries(): ReactNode {
  const words = useAlarmWords()
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['alarms', 'deliveries'],
    queryFn: ({ pageParam, signal }) =>
      client.deliveries({ limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: every(REFRESH_MS),
  })
  if (isDenied(error)) return null
  const deliveries = data?.pages.flatMap((page) => page.deliveries) ?? []
  return (
    <section className={styles.block} aria-labelledby="alarm-messages">
      <h2 id="alarm-messages">{words.deliveries}</h2>
      <TroubleBox error={error} retry={() => void refetch()} />
      {data !== undefined && deliveries.length === 0 && <p className={styles.soft}>{words.noDeliveries}</p>}
      {deliveries.length > 0 && (
        <ul className={styles.list}>
          {deliveries.map((delivery) => (
            <Row key={delivery.id} delivery={delivery} />
          ))}
        </ul>
      )}
      {hasNextPage && (
        <Button variant="default" onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
          {words.more}
        </Button>
      )}
    </section>
  )
}

function Row({ delivery }: { readonly delivery: Delivery }): ReactNode {
  const { measures } = useSpeech()
  const words = useAlarmWords()
  const { state, to, reason, code, attempts, created, due, ended, problem } = delivery
  return (
    <li className={styles.row}>
      <ToneIcon tone={TONES[state]} size={18} />
      <div className={styles.text}>
        <span>
          <strong>{words.deliveryState[state]}</strong>: {to}
        </span>
        <small>
          {[
            words.reasons[reason],
            code ?? undefined,
            measures.date(ended ?? created),
            attempts > 1 || state === 'waiting' ? words.attempts(attempts) : undefined,
            due === null ? undefined : words.nextTry(measures.date(due)),
          ]
            .filter(Boolean)
            .join(' · ')}
        </small>
        {problem !== null && (
          <small className={styles.bad} lang="en">
            {problem}
          </small>
        )}
      </div>
    </li>
  )
}
