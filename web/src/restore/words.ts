// The words of restoring from a kit; loaded with it.
import { type Language, useSpeech } from '../words/words.tsx'

const en = {
  zip: 'Choose the ZIP file',
  folder: 'Choose the folder',
  reading: 'The kit is being read …',
  made: (when: string): string => `Kit of ${when}`,
  rule: (k: number, n: number): string => `Any ${k} of ${n} locations open a file.`,
  compare: 'Compare with the printed sheet',
  identity: 'Identity file of an officer',
  identityText: (officers: string): string =>
    `Secrets in this kit are sealed to ${officers}. The file is read in this page only, opens them, and is forgotten. Without it new signing keys are made and a new sheet is printed, and access keys must be on this computer already.`,
  chooseIdentity: 'Choose the file',
  opened: 'The secrets are open.',
  places: 'Where the locations are now',
  where: (label: string): string => `Where ${label} is`,
  asInKit: 'as in the kit',
  elsewhere: 'somewhere else',
  gone: 'not there',
  place: (label: string): string => `Place of ${label}`,
  placeMissing: 'Say where it is.',
  few: (k: number): string => `At least ${k} locations must be there.`,
  passphrase: 'Passphrase of the signing keys, if it had one',
  start: 'Restore',
}

export type RestoreWords = typeof en

const de: RestoreWords = {
  zip: 'ZIP-Datei wählen',
  folder: 'Ordner wählen',
  reading: 'Der Satz wird gelesen …',
  made: (when) => `Satz vom ${when}`,
  rule: (k, n) => `Je ${k} von ${n} Orten öffnen eine Datei.`,
  compare: 'Mit dem gedruckten Blatt vergleichen',
  identity: 'Identitätsdatei einer Vertrauensperson',
  identityText: (officers) =>
    `Geheimes in diesem Satz ist für ${officers} versiegelt. Die Datei wird nur in dieser Seite gelesen, öffnet es und wird vergessen. Ohne sie entstehen neue Signaturschlüssel und ein neues Blatt, und Zugangsschlüssel müssen schon auf diesem Rechner liegen.`,
  chooseIdentity: 'Datei wählen',
  opened: 'Das Geheime ist offen.',
  places: 'Wo die Orte jetzt sind',
  where: (label) => `Wo ${label} ist`,
  asInKit: 'wie im Satz',
  elsewhere: 'woanders',
  gone: 'nicht da',
  place: (label) => `Platz von ${label}`,
  placeMissing: 'Sagen Sie, wo er ist.',
  few: (k) => `Mindestens ${k} Orte müssen da sein.`,
  passphrase: 'Passphrase der Signaturschlüssel, falls es eine gab',
  start: 'Wiederherstellen',
}

const WORDS = { en, de } satisfies Record<Language, RestoreWords>

export function useRestoreWords(): RestoreWords {
  return WORDS[useSpeech().language]
}
