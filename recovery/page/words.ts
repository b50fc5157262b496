// The page's words, in English and German.
import type { Wrong } from './vault.ts'

export type Language = 'en' | 'de'

export interface Words {
  readonly title: string
  readonly lead: string
  readonly offline: string
  readonly language: string
  readonly places: string
  readonly placesText: string
  readonly drop: string
  readonly folder: string
  readonly files: string
  readonly place: (number: number) => string
  readonly placeFiles: (label: string, count: number) => string
  readonly remove: (label: string) => string
  readonly none: string
  readonly sheet: string
  readonly sheetText: string
  readonly k: string
  readonly dealer: string
  readonly dealerWrong: string
  readonly look: string
  readonly looking: (done: number, total: number) => string
  readonly cancel: string
  readonly cancelled: string
  readonly nothing: string
  readonly nothingNext: string
  readonly vault: (name: string) => string
  readonly rule: (k: number, n: number) => string
  readonly ruleNone: (k: number) => string
  readonly dealerSheet: string
  readonly dealerVault: string
  readonly dealerNone: string
  readonly complaint: { readonly 'other-dealer': string; readonly 'dealers-differ': string }
  readonly stale: string
  readonly broken: string
  readonly noCatalogue: string
  readonly away: string
  readonly unknown: (count: number) => string
  readonly trashed: (count: number) => string
  readonly versions: string
  readonly table: string
  readonly path: string
  readonly size: string
  readonly modified: string
  readonly save: (path: string) => string
  readonly saveShort: string
  readonly saveAll: string
  readonly saveInto: string
  readonly more: (count: number) => string
  readonly filter: string
  readonly reading: (path: string) => string
  readonly progress: string
  readonly done: (count: number) => string
  readonly lost: (count: number) => string
  readonly lostNext: string
  readonly wrong: Readonly<Record<Wrong, string>>
  readonly wrongTitle: string
  readonly wrongNext: string
  readonly clean: string
  readonly notSigned: (count: number) => string
  readonly renamed: (path: string, name: string) => string
  readonly losses: Readonly<Record<string, string>>
  readonly lossOther: string
  readonly trust: string
  readonly trustText: readonly string[]
  readonly large: string
}

const en: Words = {
  title: 'Get your files back',
  lead: 'This page puts the files of a Quorate vault together again from its places, on this computer alone.',
  offline: 'It needs no network and sends nothing anywhere. You may disconnect first.',
  language: 'Deutsch',
  places: '1. The places',
  placesText:
    'Choose the folder of one location at a time (a disk, a share, or a bucket that was downloaded as it is). As many as the threshold says are needed; each further one heals damage in the others. Nothing is written there.',
  drop: 'Drop folders here: each becomes one place. A file that is dropped by itself is a place by itself.',
  folder: 'Choose a folder',
  files: 'Choose single fragments of one place',
  place: (number) => `Place ${number}`,
  placeFiles: (label, count) => `${label}: ${count === 1 ? '1 file' : `${count} files`}`,
  remove: (label) => `Leave out ${label}`,
  none: 'No place yet.',
  sheet: '2. The recovery sheet, if you have it',
  sheetText: 'Files come back without it. With it you know that they are yours.',
  k: 'How many places open a file (2 to 255)',
  dealer: 'Fingerprint of the dealer (64 letters and digits)',
  dealerWrong: 'A fingerprint has 64 digits and letters from a to f.',
  look: 'Look what is there',
  looking: (done, total) => `${done} of ${total} fragments looked at`,
  cancel: 'Cancel',
  cancelled: 'Cancelled. Nothing was changed.',
  nothing: 'Nothing can be put together from these places.',
  nothingNext: 'Add further places of the vault. Fewer than the threshold says give nothing: that is what keeps thieves out.',
  vault: (name) => `Vault ${name}`,
  rule: (k, n) => `Any ${k} of ${n} places open a file.`,
  ruleNone: (k) =>
    k === 0 ? 'No place says how many are needed; the greatest number that fits is taken.' : `At least ${k} places open a file.`,
  dealerSheet: 'The dealer is the one of your recovery sheet.',
  dealerVault: 'Known from the vault only. Compare these digits with the recovery sheet:',
  dealerNone: 'Who wrote these files is not verified: enough places together could have invented them.',
  complaint: {
    'other-dealer':
      'No place has a head of the dealer with this fingerprint. A sheet that is older than the keys cannot vouch for later ones.',
    'dealers-differ': 'The places name different dealers, and nothing says who is right. The fingerprint of the recovery sheet decides.',
  },
  stale: 'A newer state may lie at a place that you have not named.',
  broken: 'A part of the list of names is missing: the newest changes of names may be lost.',
  noCatalogue: 'No list of names could be read: files have the names under which they were first stored.',
  away: 'The vault has fragments at these places, too:',
  unknown: (count) => `${count} lines of the list of names are of a kind that this page does not know.`,
  trashed: (count) =>
    `${count === 1 ? '1 of the files was' : `${count} of the files were`} in the trash; they come back below .quorate-trash.`,
  versions: 'The current version of each file is shown. Older ones: recover.py --all-versions.',
  table: 'Files of the vault',
  path: 'Name',
  size: 'Bytes',
  modified: 'Changed',
  save: (path) => `Save ${path}`,
  saveShort: 'Save',
  saveAll: 'Save all as one ZIP file',
  saveInto: 'Save all into a folder',
  more: (count) => `and ${count} more; type a part of the name to find one`,
  filter: 'Find by name',
  reading: (path) => `Reads and checks ${path}`,
  progress: 'Progress',
  done: (count) => (count === 1 ? '1 file came back, every byte of it checked.' : `${count} files came back, every byte of them checked.`),
  lost: (count) => (count === 1 ? '1 file did not come back:' : `${count} files did not come back:`),
  lostNext: 'Add every further place that you can reach, and look again.',
  wrong: {
    framing: 'damaged',
    frame: 'not as it was dealt, while other places agree',
    record: 'damaged inside; the right bytes came from other places',
    unreadable: 'this computer could not read it',
    head: 'one of the two copies of its head is damaged; it was read',
    refused: 'not signed by the known dealer, or of another threshold; not used',
    conflict: 'another dealing of the same version stands; not used',
    'several-markers': 'it holds the markers of several locations and counts as one: choose the folder of each by itself',
  },
  wrongTitle: 'What is not as it should be',
  wrongNext: 'Look after these places.',
  clean: 'Nothing wrong was seen in what was read.',
  notSigned: (count) => `${count === 1 ? 'One of them is' : `${count} of them are`} without a verified dealer.`,
  renamed: (path, name) => `${path} was saved as ${name}: its name could not be used.`,
  losses: {
    'format.incomplete': 'too few places hold fragments of it that fit together',
    'format.conflict': 'two dealings of one version exist, and nothing says which is meant',
    'format.record': 'a part of it is damaged at too many places',
    'format.meta': 'its description is damaged',
    'format.content': 'its bytes are not those that were stored',
    'format.signature': 'it is not signed by the dealer of this vault',
  },
  lossOther: 'it could not be read to its end',
  trust: 'What this page trusts',
  trustText: [
    'Fewer places than the threshold can harm nothing but themselves: every byte has passed the tags of the vault, and whoever altered a fragment is named.',
    'Enough places together could invent files. Against that there are the signatures of the dealer, and only the recovery sheet says whose they are.',
    'The page was built from published sources; recovery/README.md says how to compare it. recover.py does the same without a browser.',
  ],
  large: 'A file is put together in the memory of the browser. For files of many gigabytes use recover.py.',
}

const de: Words = {
  title: 'Ihre Dateien zurückholen',
  lead: 'Diese Seite setzt die Dateien eines Quorate-Tresors aus seinen Orten wieder zusammen, nur auf diesem Rechner.',
  offline: 'Sie braucht kein Netz und sendet nichts. Sie können die Verbindung vorher trennen.',
  language: 'English',
  places: '1. Die Orte',
  placesText:
    'Wählen Sie nacheinander den Ordner je eines Ortes (eine Platte, eine Freigabe oder ein Bucket, so heruntergeladen, wie er ist). Es braucht so viele, wie die Schwelle sagt; jeder weitere heilt Schäden der anderen. Geschrieben wird dort nichts.',
  drop: 'Ziehen Sie Ordner hierher: Jeder wird ein Ort. Eine einzeln abgelegte Datei ist ein Ort für sich.',
  folder: 'Ordner wählen',
  files: 'Einzelne Fragmente eines Ortes wählen',
  place: (number) => `Ort ${number}`,
  placeFiles: (label, count) => `${label}: ${count === 1 ? '1 Datei' : `${count} Dateien`}`,
  remove: (label) => `${label} weglassen`,
  none: 'Noch kein Ort.',
  sheet: '2. Das Wiederherstellungsblatt, wenn Sie es haben',
  sheetText: 'Die Dateien kommen auch ohne zurück. Mit ihm wissen Sie, dass es Ihre sind.',
  k: 'Wie viele Orte eine Datei öffnen (2 bis 255)',
  dealer: 'Fingerabdruck des Ausstellers (64 Buchstaben und Ziffern)',
  dealerWrong: 'Ein Fingerabdruck hat 64 Ziffern und Buchstaben von a bis f.',
  look: 'Nachsehen, was da ist',
  looking: (done, total) => `${done} von ${total} Fragmenten angesehen`,
  cancel: 'Abbrechen',
  cancelled: 'Abgebrochen. Geändert wurde nichts.',
  nothing: 'Aus diesen Orten lässt sich nichts zusammensetzen.',
  nothingNext: 'Fügen Sie weitere Orte des Tresors hinzu. Weniger, als die Schwelle sagt, ergeben nichts: Das hält Diebe draußen.',
  vault: (name) => `Tresor ${name}`,
  rule: (k, n) => `${k} beliebige von ${n} Orten öffnen eine Datei.`,
  ruleNone: (k) =>
    k === 0 ? 'Kein Ort sagt, wie viele es braucht; die größte passende Zahl gilt.' : `Mindestens ${k} Orte öffnen eine Datei.`,
  dealerSheet: 'Der Aussteller ist der Ihres Wiederherstellungsblatts.',
  dealerVault: 'Nur aus dem Tresor bekannt. Vergleichen Sie diese Zeichen mit dem Wiederherstellungsblatt:',
  dealerNone: 'Wer diese Dateien geschrieben hat, ist nicht geprüft: Genügend Orte zusammen könnten sie erfunden haben.',
  complaint: {
    'other-dealer':
      'An keinem Ort liegt ein Kopf des Ausstellers mit diesem Fingerabdruck. Ein Blatt, das älter als die Schlüssel ist, bürgt nicht für spätere.',
    'dealers-differ': 'Die Orte nennen verschiedene Aussteller, und nichts sagt, wer recht hat. Der Fingerabdruck des Blatts entscheidet.',
  },
  stale: 'Ein neuerer Stand kann an einem Ort liegen, den Sie nicht genannt haben.',
  broken: 'Ein Teil der Namensliste fehlt: Die neuesten Namensänderungen können verloren sein.',
  noCatalogue: 'Keine Namensliste war lesbar: Die Dateien heißen so, wie sie zuerst abgelegt wurden.',
  away: 'Fragmente des Tresors liegen auch an diesen Orten:',
  unknown: (count) => `${count} Zeilen der Namensliste sind von einer Art, die diese Seite nicht kennt.`,
  trashed: (count) =>
    `${count === 1 ? '1 der Dateien lag' : `${count} der Dateien lagen`} im Papierkorb; sie kommen unter .quorate-trash zurück.`,
  versions: 'Gezeigt wird die jetzige Fassung jeder Datei. Ältere: recover.py --all-versions.',
  table: 'Dateien des Tresors',
  path: 'Name',
  size: 'Bytes',
  modified: 'Geändert',
  save: (path) => `${path} sichern`,
  saveShort: 'Sichern',
  saveAll: 'Alles als eine ZIP-Datei sichern',
  saveInto: 'Alles in einen Ordner sichern',
  more: (count) => `und ${count} weitere; geben Sie einen Teil des Namens ein`,
  filter: 'Nach Namen suchen',
  reading: (path) => `Liest und prüft ${path}`,
  progress: 'Fortschritt',
  done: (count) => (count === 1 ? '1 Datei ist zurück, jedes Byte geprüft.' : `${count} Dateien sind zurück, jedes Byte geprüft.`),
  lost: (count) => (count === 1 ? '1 Datei kam nicht zurück:' : `${count} Dateien kamen nicht zurück:`),
  lostNext: 'Fügen Sie jeden weiteren Ort hinzu, den Sie erreichen, und sehen Sie noch einmal nach.',
  wrong: {
    framing: 'beschädigt',
    frame: 'nicht wie ausgeteilt, während andere Orte übereinstimmen',
    record: 'innen beschädigt; die richtigen Bytes kamen von anderen Orten',
    unreadable: 'dieser Rechner konnte sie nicht lesen',
    head: 'eine der beiden Kopien ihres Kopfes ist beschädigt; sie wurde gelesen',
    refused: 'nicht vom bekannten Aussteller unterschrieben oder von anderer Schwelle; nicht benutzt',
    conflict: 'eine andere Austeilung derselben Fassung gilt; nicht benutzt',
    'several-markers': 'enthält die Marken mehrerer Orte und zählt als einer: Wählen Sie den Ordner jedes Ortes einzeln',
  },
  wrongTitle: 'Was nicht ist, wie es sein soll',
  wrongNext: 'Sehen Sie nach diesen Orten.',
  clean: 'An dem, was gelesen wurde, war nichts falsch.',
  notSigned: (count) => `${count === 1 ? 'Eine davon ist' : `${count} davon sind`} ohne geprüften Aussteller.`,
  renamed: (path, name) => `${path} heißt jetzt ${name}: Der Name ließ sich nicht benutzen.`,
  losses: {
    'format.incomplete': 'zu wenige Orte haben Fragmente, die zusammenpassen',
    'format.conflict': 'es gibt zwei Austeilungen einer Fassung, und nichts sagt, welche gemeint ist',
    'format.record': 'ein Teil davon ist an zu vielen Orten beschädigt',
    'format.meta': 'ihre Beschreibung ist beschädigt',
    'format.content': 'ihre Bytes sind nicht die abgelegten',
    'format.signature': 'sie ist nicht vom Aussteller dieses Tresors unterschrieben',
  },
  lossOther: 'sie ließ sich nicht zu Ende lesen',
  trust: 'Worauf diese Seite vertraut',
  trustText: [
    'Weniger Orte, als die Schwelle sagt, schaden nur sich selbst: Jedes Byte hat die Prüfmarken des Tresors bestanden, und wer ein Fragment verändert hat, wird genannt.',
    'Genügend Orte zusammen könnten Dateien erfinden. Dagegen stehen die Unterschriften des Ausstellers, und nur das Wiederherstellungsblatt sagt, wessen sie sind.',
    'Die Seite ist aus veröffentlichten Quellen gebaut; recovery/README.md sagt, wie man sie vergleicht. recover.py tut dasselbe ohne Browser.',
  ],
  large: 'Eine Datei wird im Speicher des Browsers zusammengesetzt. Für Dateien von vielen Gigabyte nehmen Sie recover.py.',
}

export const words: Readonly<Record<Language, Words>> = { en, de }
