// Something in the middle and the places around it, each with its state; used for the vault and for one file.
import type { CSSProperties, ReactNode } from 'react'
import { placeNames } from './place-names.ts'
import { ringLayout, spoke, type Point } from './ring-layout.ts'
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

interface RingProps {
  readonly label: string
  readonly places: readonly RingPlace[]
  /** What stands in the middle. */
  readonly children: ReactNode
}

const ROOMY_MAX = 6

export function Ring({ label, places, children }: RingProps): ReactNode {
  const names = placeNames(places.map((place) => place.label))
  const roomy = places.length <= ROOMY_MAX
  const { height, centre, places: points } = ringLayout({ count: places.length, radius: roomy ? 35 : 42, margin: roomy ? 24 : 8 })
  const at = ({ x, y }: Point): CSSProperties => ({ left: `${x}%`, top: `${(y / height) * 100}%` })
  return (
    <div className={styles.ring} data-roomy={roomy} style={{ aspectRatio: `100 / ${height}` }}>
      <svg className={styles.lines} viewBox={`0 0 100 ${height}`} aria-hidden focusable="false">
        {places.map((place, index) => {
          const { from, to } = spoke({ centre, to: points[index]!, gaps: { centre: 15.5, place: roomy ? 8 : 5.5 } })
          return <line key={place.key} className={styles.line} data-tone={place.tone} x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
        })}
      </svg>
      <div className={styles.centre} style={at(centre)}>
        {children}
      </div>
      <ul className={styles.places} aria-label={label}>
        {places.map((place, index) => (
          <li key={place.key} className={styles.place} data-above={points[index]!.y < centre.y - 8} style={at(points[index]!)}>
            <Place place={place} name={names[index]!} />
          </li>
        ))}
      </ul>
    </div>
  )
}

function Place({ place, name }: { readonly place: RingPlace; readonly name: string }): ReactNode {
  const { pick } = place
  const face = (
    <>
      <span className={styles.disc} data-tone={place.tone} data-picked={pick?.picked ?? false}>
        <span className={styles.number}>{place.x}</span>
        <span className={styles.badge}>
          <ToneIcon tone={place.tone} size={18} />
        </span>
      </span>
      <span className={styles.caption}>
        <span className={styles.label} title={place.label}>
          {name}
        </span>
        <span className={styles.state} data-tone={place.tone}>
          {place.state}
        </span>
        {place.note !== undefined && <span className={styles.note}>{place.note}</span>}
      </span>
    </>
  )
  if (pick === undefined) return <div className={styles.face}>{face}</div>
  return (
    <button type="button" className={styles.face} aria-pressed={pick.picked} title={pick.label} onClick={pick.run}>
      {face}
    </button>
  )
}
