// Deutsch: die Änderung des Tresors.
import type { Words } from '../en.ts'
import { zahl, darfFehlen } from './counts.ts'

export const change: Words['change'] = {
  title: 'Den Tresor ändern',
  open: 'Ändern',
  text: 'Die Dateien bleiben in Gebrauch, und keine liegt unsicherer als vorher: Ihre neuen Fragmente sind ganz, bevor die alten weichen.',
  leave: 'Orte, die verlassen werden',
  threshold: 'So viele Orte öffnen zusammen eine Datei',
  layout: 'Aufteilung',
  refresh: 'Nach einem Leck',
  refreshes: { no: 'nichts', shares: 'neue Anteile', keys: 'neue Schlüssel' },
  refreshText: {
    no: 'Fragmente, die jemand früher genommen hat, bleiben gültige Anteile.',
    shares: 'Alte Fragmente passen nicht mehr zu neuen. Die Schlüssel der Dateien bleiben.',
    keys: 'Alles wird neu ausgeteilt, mit neuen Schlüsseln. Das bewegt ebenso viele Bytes.',
  },
  preview: 'Was geschehen wird',
  before: 'Jetzt',
  meanwhile: 'Währenddessen',
  after: 'Danach',
  work: 'Zu tun',
  shape: (k: number, n: number, layout: string, spare: number): string => `${k} von ${n}, ${layout}; ${darfFehlen(spare)}`,
  spare: (spare: number): string => `mindestens: ${darfFehlen(spare)}`,
  objects: (n: number): string => (n === 1 ? '1 Objekt' : `${zahl(n)} Objekte`),
  about: (time: string): string => `etwa ${time}`,
  warnings: {
    'no-redundancy': 'Danach darf kein Ort mehr verloren gehen.',
    'fewer-collude': 'Weniger Orte als bisher könnten zusammen Dateien öffnen.',
    'sealed-bodies-stay':
      'Versiegelte Bytes, die jemand genommen hat, öffnen sich weiter mit den alten Schlüsseln. Dafür sind neue Schlüssel da.',
    'what-left-stays-valid': 'Was der Ort vielleicht behält, bleibt ein gültiger Anteil. Neue Anteile machen es wertlos.',
    'location-away': 'Ein Ort antwortet gerade nicht: Was er braucht, wartet auf ihn.',
  },
  begin: 'Beginnen',
  panel: 'Änderung des Tresors',
  states: {
    idle: 'Nichts zu ändern',
    running: 'Der Tresor wird geändert',
    paused: 'Änderung angehalten',
    cancelled: 'Änderung abgebrochen',
  },
  left: (objects: string, bytes: string): string => `${objects} Objekte zu ändern, ${bytes} zu schreiben`,
  perSecond: (bytes: string): string => `${bytes}/s`,
  pause: 'Anhalten',
  resume: 'Weiter',
  cancel: 'Änderung abbrechen',
  mixed: 'Manche Objekte haben die neue Form, manche die alte. Beide öffnen sich. Weitermachen, oder die alte Form verlangen.',
  leaving: {
    leaving: (label: string, fragments: string): string => `${label} wird verlassen; dort noch gebrauchte Fragmente: ${fragments}`,
    emptying: (label: string, _: string): string => `${label} wird geleert`,
  },
  by: (date: string): string => `bis ${date}`,
  keep: (label: string): string => `${label} behalten`,
  waits: 'Es wartet, und versucht es von selbst wieder:',
  pace: 'Tempo',
  full: 'voll',
}
