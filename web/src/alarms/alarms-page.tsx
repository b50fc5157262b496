// What rings, what rang, who is told and whether it arrived, and the records of breaches.
import type { Alarm } from '#contract'
import { Button, Skeleton, TextInput } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, type FormEvent, type ReactNode } from 'react'
import { noteDone } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './alarms.module.css'
import { Breaches } from './breaches.tsx'
import { Deliveries } from './deliveries.tsx'
import { every } from './permitted.ts'
import { AlarmSettingsSection } from './settings.tsx'
import { useAlarmWords } from './words.ts'

const TONES = { alarm: 'bad', warning: 'warn', notice: 'idle' } as const
const REFRESH_MS = 10_000
const PAGE = 50

export function AlarmsPage(): ReactNode {
  const { words: all } = useSpeech()
  const words = useAlarmWords()
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['alarms', 'all'],
    queryFn: ({ pageParam, signal }) =>
      client.alarms({ state: 'all', limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: every(REFRESH_MS),
  })
  useEffect(() => {
    document.title = `${words.title} · ${all.app.name}`
  }, [words, all])
  const alarms = data?.pages.flatMap((page) => page.alarms) ?? []
  const active = alarms.filter(({ state }) => state !== 'over')
  const over = alarms.filter(({ state }) => state === 'over')
  return (
    <div className={styles.page}>
      <h1>{words.title}</h1>
      <TroubleBox error={error} retry={() => void refetch()} />
      {data === undefined && error === null && <Skeleton height={200} radius="lg" />}
      {data !== undefined && (
        <section className={styles.block} aria-labelledby="alarms-now">
          <h2 id="alarms-now">{words.now}</h2>
          {active.length === 0 && (
            <div className={styles.none} role="status">
              <ToneIcon tone="good" size={20} />
              <span>
                <strong>{words.none}</strong> {words.noneText}
              </span>
            </div>
          )}
          <List alarms={active} />
        </section>
      )}
      <Breaches />
      <AlarmSettingsSection />
      <Deliveries />
      {data !== undefined && (
        <section className={styles.block} aria-labelledby="alarms-before">
          <h2 id="alarms-before">{words.history}</h2>
          {over.length === 0 && <p className={styles.soft}>{words.noHistory}</p>}
          <List alarms={over} />
          {hasNextPage && (
            <Button variant="default" onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
              {words.more}
            </Button>
          )}
        </section>
      )}
    </div>
  )
}

function List({ alarms }: { readonly alarms: readonly Alarm[] }): ReactNode {
  if (alarms.length === 0) return null
  return (
    <ul className={styles.list}>
      {alarms.map((alarm) => (
        <Row key={alarm.id} alarm={alarm} />
      ))}
    </ul>
  )
}

function Row({ alarm }: { readonly alarm: Alarm }): ReactNode {
  const { language, measures } = useSpeech()
  const words = useAlarmWords()
  const said = alarm.words[language]
  const { acknowledged } = alarm
  return (
    <li className={styles.row} data-state={alarm.state} data-testid="alarm">
      <ToneIcon tone={alarm.state === 'over' ? 'idle' : TONES[alarm.severity]} size={20} />
      <div className={styles.text}>
        <strong>
          {words.severity[alarm.severity]}: {said.title}
        </strong>
        {said.text !== '' && <span>{said.text}</span>}
        {alarm.state !== 'over' && <span className={styles.next}>{said.next}</span>}
        <small>
          {[
            words.state[alarm.state],
            words.since(measures.date(alarm.since)),
            alarm.ended === null ? undefined : words.ended(measures.date(alarm.ended)),
            alarm.times > 1 ? words.times(alarm.times) : undefined,
            alarm.code,
          ]
            .filter(Boolean)
            .join(' · ')}
        </small>
        {acknowledged !== null && (
          <small>
            {words.seen(acknowledged.by, measures.date(acknowledged.at))}
            {acknowledged.note !== '' && `: ${acknowledged.note}`}
          </small>
        )}
        {alarm.undelivered > 0 && <small className={styles.bad}>{words.undelivered(alarm.undelivered)}</small>}
      </div>
      {alarm.state === 'open' && <Acknowledge id={alarm.id} title={said.title} />}
    </li>
  )
}

function Acknowledge({ id, title }: { readonly id: string; readonly title: string }): ReactNode {
  const words = useAlarmWords()
  const queries = useQueryClient()
  const [note, setNote] = useState('')
  const seen = useMutation({
    mutationFn: () => client.acknowledgeAlarm(id, { note }),
    onSuccess: () => noteDone(words.saved),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['alarms'] }),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    seen.mutate()
  }
  return (
    <form className={styles.seen} onSubmit={submit}>
      <TextInput
        size="sm"
        aria-label={words.note}
        placeholder={words.note}
        value={note}
        maxLength={1000}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <Button size="sm" variant="light" type="submit" loading={seen.isPending} aria-label={words.acknowledgeOf(title)}>
        {words.acknowledge}
      </Button>
      <TroubleBox error={seen.error} />
    </form>
  )
}
