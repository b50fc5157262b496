// Deutsch: einen Ort ausprobieren.
import type { Words } from '../en.ts'

export const probe: Words['probe'] = {
  last: 'Zuletzt ausprobiert',
  up: 'Schreiben, 1 MiB',
  down: 'Lesen, 1 MiB',
  perSecond: (size) => `${size} je Sekunde`,
  unmeasured: 'nicht gemessen: was dort geschrieben wird, bleibt',
  promises: 'Was er kann',
  lost: 'Diese Versprechen hielt er früher, und hält sie nicht mehr:',
  noVote: 'Er hat keine Stimme mehr darüber, welcher Stand des Tresors der neueste ist.',
  todo: 'Finden Sie heraus, was sich dort geändert hat. Wenn es wieder stimmt, probieren Sie ihn aus.',
}
