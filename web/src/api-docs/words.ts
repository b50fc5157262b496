// The words of the page of the API; loaded with its page. What the document itself says is English.
import { type Language, useSpeech } from '../words/words.tsx'

const en = {
  title: 'API',
  lead: 'Everything this page and the command line do goes by these calls, and so may any other program.',
  documentIs: 'As a document for generators and tools:',
  search: 'Search the calls',
  searchHint: 'Words of name, address or purpose',
  count: (shown: string, all: string): string => `${shown} of ${all} calls`,
  none: 'No call has these words.',
  all: 'Show all',
  start: 'Three things to know',
  facts: [
    'Who calls: a token in the header Authorization, a session in a browser, or the unix socket of the site, which belongs to its owner alone. A token goes over HTTPS or stays on this machine.',
    'Refusals are problem documents. Their code never changes its meaning; retry says whether the same call may succeed later; next says what to do.',
    'Bytes never end short: a download that cannot be given whole breaks off. Ranges are honoured, and an upload can go on after any interruption.',
  ],
  parameters: 'Parameters',
  name: 'Name',
  where: 'Where',
  places: { path: 'address', query: 'query', header: 'header' },
  kind: 'Type',
  meaning: 'Bounds and meaning',
  required: 'required',
  body: 'Body',
  bytes: 'Bytes, of any length.',
  answer: 'Answer',
  answersBytes: 'Bytes.',
  nothing: 'No body.',
  events: 'A stream of events, each of this type:',
  refusals: 'Refusals',
  example: 'Example',
  shell: 'In a shell',
  program: 'In TypeScript',
  copy: 'Copy',
  copied: 'Copied.',
  open: 'needs no session',
}

const de: typeof en = {
  title: 'API',
  lead: 'Alles, was diese Seite und die Befehlszeile tun, geht durch diese Aufrufe, und so kann es jedes andere Programm.',
  documentIs: 'Als Dokument für Generatoren und Werkzeuge:',
  search: 'Aufrufe suchen',
  searchHint: 'Wörter aus Name, Adresse oder Zweck (englisch)',
  count: (shown, all) => `${shown} von ${all} Aufrufen`,
  none: 'Kein Aufruf hat diese Wörter.',
  all: 'Alle zeigen',
  start: 'Drei Dinge vorweg',
  facts: [
    'Wer ruft: ein Token im Kopf Authorization, eine Sitzung im Browser oder der Unix-Socket, der nur seinem Besitzer gehört. Ein Token geht über HTTPS oder bleibt auf diesem Rechner.',
    'Ablehnungen sind Problemdokumente. Ihr Code ändert nie seine Bedeutung; retry sagt, ob derselbe Aufruf später gelingen kann; next sagt, was zu tun ist.',
    'Bytes enden nie zu früh: Ein Download, der nicht ganz möglich ist, bricht ab. Bereiche werden beachtet, und ein Upload geht nach jeder Unterbrechung weiter.',
  ],
  parameters: 'Parameter',
  name: 'Name',
  where: 'Wo',
  places: { path: 'Adresse', query: 'Anfrage', header: 'Kopf' },
  kind: 'Typ',
  meaning: 'Grenzen und Bedeutung',
  required: 'nötig',
  body: 'Inhalt',
  bytes: 'Bytes, beliebig viele.',
  answer: 'Antwort',
  answersBytes: 'Bytes.',
  nothing: 'Ohne Inhalt.',
  events: 'Ein Strom von Ereignissen, jedes von diesem Typ:',
  refusals: 'Ablehnungen',
  example: 'Beispiel',
  shell: 'In einer Shell',
  program: 'In TypeScript',
  copy: 'Kopieren',
  copied: 'Kopiert.',
  open: 'ohne Sitzung',
}

const DICTIONARIES = { en, de } satisfies Record<Language, typeof en>

export function useApiWords(): typeof en {
  return DICTIONARIES[useSpeech().language]
}
