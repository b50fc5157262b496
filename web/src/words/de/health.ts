// Deutsch: die Seite Zustand.
import type { Words } from '../en.ts'
import { dateien, fragmente } from './counts.ts'

export const health: Words['health'] = {
  label: 'Zustand des Tresors',
  none: 'Kein Tresor',
  healthy: 'Gesund',
  degraded: 'Angeschlagen',
  unreadable: 'Nicht lesbar',
  unknown: 'Keine Antwort',
  healthyText: 'Jede Datei liegt an allen ihren Orten.',
  degradedTitle: 'Jede Datei öffnet sich noch',
  degradedText: (due) => (due === 0 ? 'Ein Ort fehlt.' : `${fragmente(due)} zu reparieren.`),
  withoutRedundancy: (n) =>
    `${dateien(n)} ${n === 1 ? 'hat' : 'haben'} keine Reserve mehr: Noch ein Verlust, und ${n === 1 ? 'sie öffnet' : 'sie öffnen'} sich nicht.`,
  unreadableTitle: 'Manche Dateien lassen sich gerade nicht öffnen',
  unreadableText: (k) => `Weniger als ${k} Orte halten sie im Moment. Holen Sie einen Ort zurück; gelöscht ist nichts.`,
  repair: 'Reparieren',
  filling: 'Fragmente werden geschrieben, wo sie fehlen.',
  waiting: 'Holen Sie den Ort zurück oder setzen Sie einen leeren Ordner an seine Stelle; dann reparieren.',
  changed: {
    none: 'Es gibt keinen Tresor.',
    healthy: 'Der Tresor ist wieder gesund.',
    degraded: 'Der Tresor ist angeschlagen. Jede Datei öffnet sich noch.',
    unreadable: 'Manche Dateien lassen sich gerade nicht öffnen.',
  },
}
