// The words of the import dialog; loaded with it.
import { type Language, useSpeech } from '../words/words.tsx'

const en = {
  title: (folder: string): string => `Adopt files into ${folder}`,
  text: 'Files that lie plainly in a folder of the computer that runs this site, or in an S3 bucket, are stored in the vault. The source is only read. What is there already with the same size and time is passed over, so that an import goes on where it stopped.',
  check: 'Also read files of equal size and time, and compare them',
  look: 'Look what is there',
  looking: 'Looking …',
  found: (files: string, bytes: string): string => `${files} files, ${bytes}`,
  atLeast: (what: string): string => `At least ${what}; counting stopped early.`,
  nothing: 'There is no file at the source.',
  skipped: 'Would be passed over',
  more: (n: string): string => `and ${n} more`,
  begin: 'Import',
  stored: (stored: string, passed: string, bytes: string): string =>
    `${stored} files stored, ${passed} there already or passed over; ${bytes} read.`,
  ends: {
    done: 'The import is done.',
    failed: 'The import stopped.',
    cancelled: 'The import was cancelled. What was stored stays; begin again to go on.',
  },
  background: 'It goes on when you close this; the page of locations lists it under recent work.',
  file: 'File',
  why: 'Why',
}

export type ImportWords = typeof en

const de: ImportWords = {
  title: (folder) => `Dateien nach ${folder} übernehmen`,
  text: 'Dateien, die offen in einem Ordner des Rechners dieser Site oder in einem S3-Bucket liegen, werden im Tresor gespeichert. Die Quelle wird nur gelesen. Was mit gleicher Größe und Zeit schon da ist, wird übergangen; so geht ein Import weiter, wo er aufhörte.',
  check: 'Auch Dateien gleicher Größe und Zeit lesen und vergleichen',
  look: 'Nachsehen, was da ist',
  looking: 'Es wird nachgesehen …',
  found: (files, bytes) => `${files} Dateien, ${bytes}`,
  atLeast: (what) => `Mindestens ${what}; das Zählen wurde vorher beendet.`,
  nothing: 'An der Quelle ist keine Datei.',
  skipped: 'Würde übergangen',
  more: (n) => `und ${n} weitere`,
  begin: 'Importieren',
  stored: (stored, passed, bytes) => `${stored} Dateien gespeichert, ${passed} schon da oder übergangen; ${bytes} gelesen.`,
  ends: {
    done: 'Der Import ist fertig.',
    failed: 'Der Import hat angehalten.',
    cancelled: 'Der Import wurde abgebrochen. Gespeichertes bleibt; noch einmal beginnen führt ihn fort.',
  },
  background: 'Er geht weiter, wenn Sie dies schließen; die Seite der Orte führt ihn unter den letzten Arbeiten.',
  file: 'Datei',
  why: 'Warum',
}

const WORDS = { en, de } satisfies Record<Language, ImportWords>

export function useImportWords(): ImportWords {
  return WORDS[useSpeech().language]
}
