// Where a person is signed in, each of which can be ended.
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import { browserOf } from './browser-of.ts'
import { peopleKeys, useSessions } from './queries.ts'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

export function Sessions(): ReactNode {
  const { measures } = useSpeech()
  const { own } = usePeopleWords()
  const queries = useQueryClient()
  const { data, error } = useSessions(true)
  const end = useMutation({
    mutationFn: (id: string) => client.endSession(id),
    onSuccess: () => queries.invalidateQueries({ queryKey: peopleKeys.sessions }),
  })
  const endAll = useMutation({ mutationFn: () => client.endSessions(), onSuccess: () => queries.resetQueries() })
  return (
    <section className={styles.card} aria-labelledby="sessions">
      <h2 id="sessions">{own.sessions}</h2>
      <TroubleBox error={error ?? end.error ?? endAll.error} />
      <ul className={styles.rows}>
        {data?.map(({ id, agent, seen, expires, present }) => (
          <li key={id} className={styles.row} data-testid="session">
            <span className={styles.who}>
              <strong>{browserOf(agent)}</strong> {present && `(${own.here})`}
              <span className={styles.soft}>
                {own.seen(measures.when(seen))} · {own.ends(measures.when(expires))}
              </span>
            </span>
            {!present && (
              <Button size="xs" variant="subtle" color="red" onClick={() => end.mutate(id)} aria-label={`${own.end}: ${browserOf(agent)}`}>
                {own.end}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <div className={styles.acts}>
        <Button variant="default" loading={endAll.isPending} onClick={() => endAll.mutate()}>
          {own.endAll}
        </Button>
      </div>
    </section>
  )
}
