// The vault in the middle, its locations around it, live.
import type { Status } from '#contract'
import type { ReactNode } from 'react'
import { useReach } from '../site/reach.ts'
import { Ring } from '../pictures/ring.tsx'
import { toneOfLocation } from '../pictures/tone.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './vault-picture.module.css'

export function VaultPicture({ status }: { readonly status: Status }): ReactNode {
  const { words, measures } = useSpeech()
  const { vault, locations } = status
  const stale = useReach() === 'stopped'
  if (vault === null) return null
  return (
    <div data-testid="vault-picture">
      <Ring
        label={words.locations.picture}
        places={locations.map((location) => ({
          key: location.id,
          x: location.x,
          label: location.label,
          tone: stale ? 'idle' : toneOfLocation[location.state],
          state: stale ? words.health.unknown : words.locations.states[location.state],
          note:
            stale || location.latencyMs === null || location.state === 'unreachable'
              ? undefined
              : measures.milliseconds(location.latencyMs),
        }))}
      >
        <span className={styles.rule}>{words.locations.centre(vault.threshold, vault.count)}</span>
        <span className={styles.word}>{words.locations.centreText}</span>
      </Ring>
      <p className={styles.total}>{words.locations.total(status.files, measures.bytes(status.bytes))}</p>
    </div>
  )
}
