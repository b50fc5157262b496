// One location: its state in words, its numbers, and a trial of what it promises.
import type { Capabilities, LocationProbe, LocationStatus } from '#contract'
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { ToneIcon, TonePill } from '../pictures/tone-icon.tsx'
import { toneOfLocation } from '../pictures/tone.ts'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './locations-page.module.css'

const PROMISES = ['honestCreate', 'rangedRead', 'listAfterWrite', 'multipartAbort', 'deletes', 'objectLock'] as const

export function LocationCard({ location }: { readonly location: LocationStatus }): ReactNode {
  const { words, measures } = useSpeech()
  const trial = useMutation({ mutationFn: () => client.testLocation({ location: location.id }) })
  const { held, lost, corrupt, pending } = location.fragments
  const counts = [
    [words.locations.held, held],
    [words.locations.lost, lost],
    [words.locations.corrupt, corrupt],
    [words.locations.pending, pending],
  ] as const
  return (
    <article className={styles.card} data-testid="location" data-state={location.state}>
      <div className={styles.cardHead}>
        <span className={styles.number} aria-hidden>
          {location.x}
        </span>
        <h2>{location.label}</h2>
        <TonePill tone={toneOfLocation[location.state]}>{words.locations.states[location.state]}</TonePill>
        <Button size="compact-sm" variant="subtle" onClick={() => trial.mutate()} loading={trial.isPending}>
          {words.locations.test}
        </Button>
      </div>
      {location.state !== 'healthy' && (
        <div className={styles.sick}>
          <span>{words.locations.explained[location.state]}</span>
          <strong>{words.locations.todo[location.state]}</strong>
          {location.detail !== '' && <small lang="en">{location.detail}</small>}
        </div>
      )}
      <dl className={styles.facts}>
        {counts
          .filter(([, count], index) => index === 0 || count > 0)
          .map(([name, count]) => (
            <div key={name}>
              <dt>
                {words.locations.fragments}, {name}
              </dt>
              <dd>{measures.number(count)}</dd>
            </div>
          ))}
        <div>
          <dt>{words.locations.size}</dt>
          <dd>{measures.bytes(location.bytes)}</dd>
        </div>
        <div>
          <dt>{words.locations.latency}</dt>
          <dd>{location.latencyMs === null || location.state === 'unreachable' ? '–' : measures.milliseconds(location.latencyMs)}</dd>
        </div>
        <div>
          <dt>{words.locations.seen}</dt>
          <dd>{location.lastSeen === null ? words.locations.never : measures.when(location.lastSeen)}</dd>
        </div>
        <div>
          <dt>{words.setup.kind}</dt>
          <dd>{words.locations.kinds[location.kind]}</dd>
        </div>
      </dl>
      {location.probe !== null && <LastProbe probe={location.probe} />}
      <TroubleBox error={trial.error} retry={() => trial.mutate()} />
      {trial.data !== undefined ? (
        <div role="status">
          <Trial capabilities={trial.data} />
        </div>
      ) : (
        location.capabilities !== null && (
          <details className={styles.promises}>
            <summary>{words.probe.promises}</summary>
            <Trial capabilities={location.capabilities} />
          </details>
        )
      )}
    </article>
  )
}

/** When it was tried last, how fast it was, and what it no longer keeps. */
function LastProbe({ probe }: { readonly probe: LocationProbe }): ReactNode {
  const { words, measures } = useSpeech()
  const speeds = [
    [words.probe.up, probe.upBytesPerSecond],
    [words.probe.down, probe.downBytesPerSecond],
  ] as const
  return (
    <>
      <dl className={styles.facts}>
        <div>
          <dt>{words.probe.last}</dt>
          <dd>{measures.when(probe.at)}</dd>
        </div>
        {speeds.map(([name, speed]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{speed === null ? words.probe.unmeasured : words.probe.perSecond(measures.bytes(speed))}</dd>
          </div>
        ))}
      </dl>
      {probe.lost.length > 0 && (
        <div className={styles.sick} role="alert">
          <span>{words.probe.lost}</span>
          <strong>{probe.lost.map((promise) => words.locations.promises[promise]).join(', ')}</strong>
          {probe.lost.includes('honestCreate') && <span>{words.probe.noVote}</span>}
          <strong>{words.probe.todo}</strong>
        </div>
      )}
    </>
  )
}

function Trial({ capabilities }: { readonly capabilities: Capabilities }): ReactNode {
  const { words } = useSpeech()
  return (
    <>
      <ul className={styles.trial}>
        {PROMISES.map((promise) => (
          <li key={promise}>
            <ToneIcon tone={capabilities[promise] ? 'good' : 'idle'} />
            <span>
              {words.locations.promises[promise]}: {capabilities[promise] ? words.locations.yes : words.locations.no}
            </span>
          </li>
        ))}
      </ul>
      {capabilities.findings.length === 0 ? (
        <p className={styles.none}>{words.locations.honest}</p>
      ) : (
        <ul className={styles.messages} lang="en">
          {capabilities.findings.map((finding) => (
            <li key={finding}>
              <ToneIcon tone="warn" />
              <span>{finding}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
