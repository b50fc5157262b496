// One location: its state in words, its numbers, and a trial of what it promises.
import type { Capabilities, LocationStatus } from '#contract'
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
      <TroubleBox error={trial.error} retry={() => trial.mutate()} />
      {trial.data !== undefined && <Trial capabilities={trial.data} />}
    </article>
  )
}

function Trial({ capabilities }: { readonly capabilities: Capabilities }): ReactNode {
  const { words } = useSpeech()
  return (
    <div role="status">
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
    </div>
  )
}
