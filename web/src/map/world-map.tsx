// Where locations stand in the world, with the state of each in a shape, a colour and a word.
import { useMemo, type ReactNode } from 'react'
import type { Tone } from '../pictures/tone.ts'
import { apart, frameOf } from './frame.ts'
import styles from './map.module.css'
import { BORDERS, LAND } from './outlines.ts'

export interface MapPlace {
  readonly id: string
  readonly name: string
  readonly latitude: number
  readonly longitude: number
  readonly tone: Tone
  /** The state in a word. */
  readonly state: string
}

/** The picture is for eyes; whoever listens gets the same as a sentence by `label`. */
export function WorldMap({ places, label }: { readonly places: readonly MapPlace[]; readonly label: string }): ReactNode {
  const { frame, placed } = useMemo(() => {
    const found = frameOf(places)
    return { frame: found, placed: apart(places, found) }
  }, [places])
  const size = frame.width / 100
  return (
    <svg
      className={styles.map}
      viewBox={`${frame.x} ${frame.y} ${frame.width} ${frame.height}`}
      role="img"
      aria-label={`${label}. ${places.map(({ name, state }) => `${name}: ${state}`).join('; ')}`}
    >
      <rect x={frame.x} y={frame.y} width={frame.width} height={frame.height} className={styles.sea} />
      <path d={LAND} className={styles.land} />
      <path d={BORDERS} className={styles.border} />
      {placed.map((place) => (
        <g key={place.id} transform={`translate(${place.x} ${place.y})`} data-tone={place.tone} className={styles.place}>
          <Shape tone={place.tone} size={size} />
          <text y={place.nameAbove ? -size * 1.9 : size * 3.4} fontSize={size * 2} className={styles.name} strokeWidth={size / 2}>
            {place.name}
          </text>
        </g>
      ))}
    </svg>
  )
}

/** Round is well, a square waits, a triangle is gone or wrong. */
function Shape({ tone, size }: { readonly tone: Tone; readonly size: number }): ReactNode {
  if (tone === 'good') return <circle r={size} />
  if (tone === 'warn' || tone === 'idle') return <rect x={-size} y={-size} width={size * 2} height={size * 2} />
  return <path d={`M0 ${-size * 1.3}L${size * 1.2} ${size}L${-size * 1.2} ${size}Z`} />
}
