// Deutsch: Einzelheiten einer Datei.
import type { Words } from '../en.ts'

export const details: Words['details'] = {
  map: 'Auf einer Karte',
  mapOf: 'Wo die Fragmente dieser Datei liegen',
  title: (name) => `Einzelheiten zu ${name}`,
  close: 'Einzelheiten schließen',
  size: 'Größe',
  type: 'Typ',
  modified: 'Geändert',
  version: 'Version',
  where: 'Wo ihre Fragmente liegen',
  ways: (k, n) => `${k} beliebige von diesen ${n} öffnen die Datei.`,
  states: { held: 'vorhanden', lost: 'verloren', corrupt: 'beschädigt', pending: 'unterwegs', away: 'Ort fehlt' },
  look: 'Ein Fragment ansehen',
  lookAt: (label) => `Das Fragment bei ${label} ansehen`,
  lookHint: 'Sehen Sie, was jemand bekäme, der in einen Ort einbricht.',
  versions: 'Versionen',
  versionLine: (n) => `Version ${n}`,
  current: 'aktuell',
  openVersion: (n) => `Version ${n} öffnen`,
  downloadVersion: (n) => `Version ${n} herunterladen`,
  removeVersion: (n) => `Version ${n} entfernen`,
  removeVersionText: 'Nur diese Version verschwindet; die anderen bleiben. Das lässt sich nicht rückgängig machen.',
}
