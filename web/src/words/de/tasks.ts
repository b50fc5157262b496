// Deutsch: lange Arbeiten.
import type { Words } from '../en.ts'

export const tasks: Words['tasks'] = {
  title: 'Arbeit',
  recent: 'Letzte Arbeiten',
  none: 'Noch nichts gelaufen.',
  kinds: {
    scrub: 'Prüfung',
    repair: 'Reparatur',
    upload: 'Upload',
    recover: 'Zurückholen',
    copy: 'Kopie',
    remove: 'Entfernen',
    change: 'Änderung',
    restore: 'Wiederherstellung',
    import: 'Übernahme',
    drill: 'Wiederherstellungsübung',
  },
  states: { running: 'läuft', done: 'fertig', failed: 'gescheitert', cancelled: 'abgebrochen' },
  cancel: (what) => `Abbrechen: ${what}`,
  units: { bytes: (n) => n, fragments: (n) => `${n} Fragmente`, files: (n) => `${n} Dateien` },
  of: (done, total) => `${done} von ${total}`,
  left: (time) => `noch ${time}`,
  finished: (what, state) => `${what}: ${state}.`,
}
