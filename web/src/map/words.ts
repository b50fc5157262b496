// Words of the map; loaded with it.
import { type Language, useSpeech } from '../words/words.tsx'

interface MapWords {
  readonly empty: string
  readonly unplaced: (names: string) => string
  readonly source: string
}

const en: MapWords = {
  empty:
    'The map is empty until somebody says where the locations stand: their degrees north and east, with what is known of each location.',
  unplaced: (names) => `Not on the map, since nobody said where: ${names}.`,
  source: 'Outlines: Natural Earth. Where a location stands is what people of this site said; Quorate cannot verify it.',
}

const de: MapWords = {
  empty:
    'Die Karte ist leer, bis jemand sagt, wo die Orte stehen: ihre Grade nördlich und östlich, bei dem, was über jeden Ort bekannt ist.',
  unplaced: (names) => `Nicht auf der Karte, weil niemand gesagt hat, wo: ${names}.`,
  source: 'Umrisse: Natural Earth. Wo ein Ort steht, haben Menschen dieser Stelle angegeben; Quorate kann es nicht prüfen.',
}

const WORDS = { en, de } satisfies Record<Language, MapWords>

export function useMapWords(): MapWords {
  return WORDS[useSpeech().language]
}
