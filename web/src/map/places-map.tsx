// Locations, or the fragments of one file, on the map: with what people said of where they stand.
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { placeNames } from '../pictures/place-names.ts'
import type { Tone } from '../pictures/tone.ts'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './map.module.css'
import { useMapWords } from './words.ts'
import { type MapPlace, WorldMap } from './world-map.tsx'

export interface Standing {
  /** Of the location. */
  readonly id: string
  readonly label: string
  readonly tone: Tone
  /** Its state in a word. */
  readonly state: string
}

export function PlacesMap({ places, label }: { readonly places: readonly Standing[]; readonly label: string }): ReactNode {
  const words = useMapWords()
  const { words: page } = useSpeech()
  const { data, error, refetch } = useQuery({ queryKey: ['health'], queryFn: ({ signal }) => client.health({ signal }), staleTime: 30_000 })
  if (error !== null) return <TroubleBox error={error} retry={() => void refetch()} />
  if (data === undefined) return null
  const positions = new Map(
    data.locations.flatMap(({ id, traits }) => (traits.position === undefined ? [] : [[id, traits.position] as const])),
  )
  const names = placeNames(places.map((place) => place.label))
  const placed: MapPlace[] = []
  const unplaced: string[] = []
  for (const [index, { id, tone, state }] of places.entries()) {
    const position = positions.get(id)
    if (position === undefined) unplaced.push(names[index]!)
    else placed.push({ id, name: names[index]!, tone, state, ...position })
  }
  if (placed.length === 0)
    return (
      <div className={styles.empty}>
        <p>{words.empty}</p>
        <a href="#/health">{page.app.health}</a>
      </div>
    )
  return (
    <>
      <WorldMap places={placed} label={label} />
      {unplaced.length > 0 && <p className={styles.unplaced}>{words.unplaced(unplaced.join(', '))}</p>}
      <p className={styles.unplaced}>{words.source}</p>
    </>
  )
}
