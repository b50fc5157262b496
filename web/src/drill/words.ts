// The words of the drill; loaded with the health page.
import { type Language, useSpeech } from '../words/words.tsx'

const en = {
  title: 'Recovery drill',
  lead: 'Random files are brought back into a clean folder while a location is blocked, once by Quorate and once by recover.py, and compared. Two people stand by; the report is signed.',
  never: 'Nobody has tried yet whether this vault comes back. Do it once a year, and after every great change.',
  last: (when: string, people: string): string => `The last drill ended ${when}, with ${people}.`,
  passed: 'Passed: everything came back, and was equal.',
  failed: 'NOT passed. Repair, then try again.',
  open: 'Begin a drill',
  report: 'Signed report',
  page: 'Page to print',
  verify: 'Anybody checks the report with: quorate drill verify FILE',
  one: 'First person',
  two: 'Second person',
  files: 'Files to draw',
  filesHint: '1 to 100, at most 1 GiB together. They are written to this computer in plain and removed at the end.',
  blocked: 'Blocked location',
  each: 'each in turn',
  twoPeople: 'Name two different people.',
  wrong: 'A number from 1 to 100.',
  begin: 'Begin',
  ends: { done: 'The drill is done.', failed: 'The drill stopped.', cancelled: 'The drill was cancelled; nothing of it is kept.' },
  background: 'It goes on when you close this.',
  rounds: 'Rounds',
  without: 'Blocked',
  product: 'Quorate',
  python: 'recover.py',
  equal: 'equal',
  of: (n: string, all: string): string => `${n} of ${all}`,
  noPython: 'There was no Python 3.8 here: recover.py was not tried, and a drill without it does not pass.',
}

export type DrillWords = typeof en

const de: DrillWords = {
  title: 'Wiederherstellungsübung',
  lead: 'Zufällige Dateien kommen in einen leeren Ordner zurück, während ein Ort gesperrt ist, einmal durch Quorate und einmal durch recover.py, und werden verglichen. Zwei Menschen stehen dabei; der Bericht ist unterschrieben.',
  never: 'Noch niemand hat geprüft, ob dieser Tresor zurückkommt. Tun Sie es einmal im Jahr und nach jeder großen Änderung.',
  last: (when, people) => `Die letzte Übung endete ${when}, mit ${people}.`,
  passed: 'Bestanden: Alles kam zurück und war gleich.',
  failed: 'NICHT bestanden. Reparieren, dann noch einmal.',
  open: 'Übung beginnen',
  report: 'Unterschriebener Bericht',
  page: 'Seite zum Drucken',
  verify: 'Jeder prüft den Bericht mit: quorate drill verify DATEI',
  one: 'Erste Person',
  two: 'Zweite Person',
  files: 'Dateien, die gezogen werden',
  filesHint: '1 bis 100, zusammen höchstens 1 GiB. Sie werden offen auf diesen Rechner geschrieben und am Ende entfernt.',
  blocked: 'Gesperrter Ort',
  each: 'jeder der Reihe nach',
  twoPeople: 'Nennen Sie zwei verschiedene Menschen.',
  wrong: 'Eine Zahl von 1 bis 100.',
  begin: 'Beginnen',
  ends: {
    done: 'Die Übung ist fertig.',
    failed: 'Die Übung hat angehalten.',
    cancelled: 'Die Übung wurde abgebrochen; nichts davon bleibt.',
  },
  background: 'Sie geht weiter, wenn Sie dies schließen.',
  rounds: 'Runden',
  without: 'Gesperrt',
  product: 'Quorate',
  python: 'recover.py',
  equal: 'gleich',
  of: (n, all) => `${n} von ${all}`,
  noPython: 'Hier gab es kein Python 3.8: recover.py wurde nicht erprobt, und ohne es besteht keine Übung.',
}

const WORDS = { en, de } satisfies Record<Language, DrillWords>

export function useDrillWords(): DrillWords {
  return WORDS[useSpeech().language]
}
