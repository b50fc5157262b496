// Deutsch: Uploads, die weitergehen.
import type { Words } from '../en.ts'

export const resume: Words['resume'] = {
  checking: 'was schon gesendet ist, wird geprüft',
  proving: 'Datei wird noch einmal gelesen',
  interrupted: 'unterbrochen',
  byItself: 'Es geht von selbst weiter, sobald es möglich ist.',
  unfinished: 'Unfertige Uploads',
  how: 'Wählen Sie dieselbe Datei noch einmal für denselben Ordner: Der Upload geht dort weiter, wo er stehen blieb.',
  until: (date) => `aufgehoben bis ${date}`,
  remove: (name) => `Unfertigen Upload von ${name} entfernen`,
}
