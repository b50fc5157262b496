// Deutsch: der Rahmen jeder Seite.
import type { Words } from '../en.ts'

export const app: Words['app'] = {
  name: 'Quorate',
  motto: 'Nichts öffnet sich ohne Quorum.',
  skip: 'Zum Inhalt springen',
  files: 'Dateien',
  locations: 'Orte',
  activity: 'Aktivität',
  health: 'Zustand',
  pages: 'Seiten',
  language: 'Sprache',
  scheme: 'Darstellung',
  light: 'Hell',
  dark: 'Dunkel',
  system: 'Wie das System',
  settings: 'Sprache und Darstellung',
  shortcuts: 'Tastenkürzel',
  close: 'Schließen',
  cancel: 'Abbrechen',
  retry: 'Noch einmal',
  more: 'Mehr',
  loading: 'Lädt',
  next: 'Was zu tun ist',
  notices: 'Meldungen',
  version: (version) => `Quorate ${version}`,
}
