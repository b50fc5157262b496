// Something in the middle and the places around it, each with its state; used for the vault and for one file.
import type { CSSProperties, ReactNode } from 'react'
import { aroundCentre, spoke } from './ring-layout.ts'
import { ToneIcon } from './tone-icon.tsx'
import type { Tone } from './tone.ts'
import styles from './ring.module.css'

export interface RingPlace {
  readonly key: string
  readonly x: number
  readonly label: string
  readonly tone: Tone
  /** The state in a word. */
  readonly state: string
  /** A second short line, like a latency. */
  readonly note?: string | undefined
  readonly pick?: { readonly label: string; readonly picked: boolean; readonly run: () => void } | undefined
}

const ROOMY_MAX = 6

export function Ring({
  label,
  places,
  children,
}: {
  readonly label: string
  readonly places: readonly RingPlace[]
  readonly children: ReactNode
}): ReactNode {
  const roomy = places.length <= ROOMY_MAX
  const points = aroundCentre(places.length, roomy ? 37 : 42)
  return (
    <div className={styles.ring} data-roomy={roomy}>
      <svg className={styles.lines} viewBox="0 0 100 100" aria-hidden focusable="false">
        {places.map((place, index) => {
          const { from, to } = spoke(points[index]!, { centre: 15, place: roomy ? 7 : 5 })
          return <line key={place.key} className={styles.line} data-tone={place.tone} x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
        })}
      </svg>
      <div className={styles.centre}>{children}</div>
      <ul className={styles.places} aria-label={label}>
        {places.map((place, index) => (
          <li
            key={place.key}
            className={styles.place}
            style={{ '--x': `${points[index]!.x}%`, '--y': `${points[index]!.y}%` } as CSSProperties}
          >
            <Place place={place} />
          </li>
        ))}
      </ul>
    </div>
  )
}

function Place({ place }: { readonly place: RingPlace }): ReactNode {
  const { pick } = place
  const face = (
    <>
      <span className={styles.disc} data-tone={place.tone} data-picked={pick?.picked ?? false}>
        <span className={styles.number}>{place.x}</span>
        <span className={styles.badge}>
          <ToneIcon tone={place.tone} size={18} />
        </span>
      </span>
      <span className={styles.label} title={place.label}>
        {shortLabel(place.label)}
      </span>
      <span className={styles.state} data-tone={place.tone}>
        {place.state}
      </span>
      {place.note !== undefined && <span className={styles.note}>{place.note}</span>}
    </>
  )
  if (pick === undefined) return <div className={styles.face}>{face}</div>
  return (
    <button
      type="button"
      className={styles.face}
      aria-pressed={pick.picked}
      aria-label={`${pick.label} (${place.state})`}
      onClick={pick.run}
    >
      {face}
    </button>
  )
}

/** The telling end of a long label: `folder:/srv/vault/a` becomes `…/vault/a`. */
export function shortLabel(label: string): string {
  if (label.length <= 18) return label
  const parts = label.split('/').filter(Boolean)
  const tail = parts.slice(-2).join('/')
  return parts.length > 2 && tail.length <= 18 ? `…/${tail}` : `…${label.slice(-16)}`
}
