// Deutsch: was Teilen ist, in einem Bild.
import type { Words } from '../en.ts'

export const lesson: Words['lesson'] = {
  title: 'Eine Datei wird zu Fragmenten an mehreren Orten',
  text: 'Zwei beliebige von drei Orten öffnen die Datei. Einer allein ist Rauschen: Er verrät nur Größen und Zeiten. Einer darf abbrennen.',
  try: 'Nehmen Sie einen Ort weg und sehen Sie selbst.',
  place: (letter) => `Ort ${letter}`,
  there: 'da',
  gone: 'weggenommen',
  opens: 'öffnet',
  noise: 'Rauschen',
  all: 'Drei Orte: Die Datei öffnet sich, und einer darf noch verloren gehen.',
  two: 'Zwei Orte: Die Datei öffnet sich. Zeit, den dritten zu reparieren.',
  one: 'Ein Ort allein: Rauschen. Er verrät nichts über die Datei.',
  none: 'Kein Ort: nichts.',
  file: 'die Datei',
}
