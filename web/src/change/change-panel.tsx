// A change under way: how far it is, what it waits for, and how to steer it. Nothing while there is none.
import type { ChangeStatus, SteerRequest } from '#contract'
import { Button, Progress, SegmentedControl } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { keys } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './change.module.css'
import { CHANGE, useChange } from './use-change.ts'

/** Bytes a second; 0 = as fast as it goes. */
const PACES = [0, 1_000_000, 10_000_000, 100_000_000]

export function ChangePanel(): ReactNode {
  const { words, measures } = useSpeech()
  const queries = useQueryClient()
  const status = useChange()
  const note = (next: ChangeStatus): void => {
    queries.setQueryData(CHANGE, next)
    void queries.invalidateQueries({ queryKey: keys.status })
  }
  const steer = useMutation({ mutationFn: (request: SteerRequest) => client.steerChange(request), onSuccess: note })
  const keep = useMutation({ mutationFn: (location: string) => client.requestChange({ stay: [location] }), onSuccess: note })
  if (status === undefined || status.state === 'idle') return null
  const { state, due, bytesDone, bytesTotal, remainingSeconds, rate, leaving, waits, shapes, bytesPerSecond } = status
  const percent = bytesTotal > 0 ? Math.min(100, (bytesDone / bytesTotal) * 100) : 0
  const paces = [...new Set([...PACES, bytesPerSecond])].toSorted((a, b) => a - b)
  return (
    <section className={styles.panel} aria-label={words.change.panel} data-testid="change-panel" data-state={state}>
      <div className={styles.row}>
        <h2>{words.change.states[state]}</h2>
        <span role="status">
          {words.change.left(measures.number(due.objects), measures.bytes(due.bytes))}
          {rate > 0 && `, ${words.change.perSecond(measures.bytes(rate))}`}
          {remainingSeconds !== null && `, ${words.change.about(measures.duration(remainingSeconds))}`}
        </span>
        <span className={styles.row}>
          {state === 'running' ? (
            <Button size="compact-sm" variant="default" onClick={() => steer.mutate({ state: 'paused' })} loading={steer.isPending}>
              {words.change.pause}
            </Button>
          ) : (
            <Button size="compact-sm" variant="default" onClick={() => steer.mutate({ state: 'running' })} loading={steer.isPending}>
              {words.change.resume}
            </Button>
          )}
          {state !== 'cancelled' && (
            <Button size="compact-sm" variant="default" onClick={() => steer.mutate({ state: 'cancelled' })} loading={steer.isPending}>
              {words.change.cancel}
            </Button>
          )}
        </span>
      </div>
      <Progress value={percent} aria-label={words.change.panel} size="sm" />
      {state === 'cancelled' && <p className={styles.hint}>{words.change.mixed}</p>}
      {shapes.length > 1 && (
        <ul className={styles.list}>
          {shapes.map(({ threshold, count, layout, objects }) => (
            <li key={`${threshold} ${count} ${layout}`}>
              {words.change.shape(threshold, count, words.layouts[layout], count - threshold)}: {words.change.objects(objects)}
            </li>
          ))}
        </ul>
      )}
      {leaving.map(({ location, label, phase, fragments, by }) => (
        <div className={styles.row} key={location}>
          <span>
            {words.change.leaving[phase](label, measures.number(fragments))}
            {by !== null && ` (${words.change.by(measures.date(by))})`}
          </span>
          {phase === 'leaving' && (
            <Button size="compact-sm" variant="subtle" onClick={() => keep.mutate(location)} loading={keep.isPending}>
              {words.change.keep(label)}
            </Button>
          )}
        </div>
      ))}
      {waits.length > 0 && (
        <>
          <p className={styles.hint}>{words.change.waits}</p>
          <ul className={styles.list} lang="en">
            {waits.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </>
      )}
      <div className={styles.row}>
        <span className={styles.hint}>{words.change.pace}</span>
        <SegmentedControl
          size="xs"
          data={paces.map((pace) => ({
            value: `${pace}`,
            label: pace === 0 ? words.change.full : words.change.perSecond(measures.bytes(pace)),
          }))}
          value={`${bytesPerSecond}`}
          onChange={(value) => steer.mutate({ bytesPerSecond: Number(value) })}
          aria-label={words.change.pace}
        />
      </div>
      <TroubleBox error={steer.error ?? keep.error} />
    </section>
  )
}
