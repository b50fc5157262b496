// Deutsch: die ersten Schritte.
import type { Words } from '../en.ts'

export const setup: Words['setup'] = {
  title: 'Einen Tresor anlegen',
  lead: 'Eine Minute. Zum Ausprobieren genügen drei Ordner auf diesem Rechner; ersetzen Sie sie später durch Clouds oder Partner.',
  places: 'Orte',
  placesHint: 'Jeder Ort bewahrt ein Fragment jeder Datei.',
  kind: 'Art des Ortes',
  source: 'Quelle',
  location: (n) => `Ort ${n}`,
  path: 'Ordner auf diesem Rechner',
  pathHint: 'Wird angelegt, wenn es ihn noch nicht gibt.',
  label: 'Name (freiwillig)',
  labelHint: 'Wie man ihn nennt, zum Beispiel Cloud West.',
  endpoint: 'Adresse',
  prefix: 'Präfix (freiwillig)',
  region: 'Region',
  keyFile: 'Datei mit dem Zugangsschlüssel (auf diesem Rechner)',
  endpointWrong: 'Eine Web-Adresse, wie https://s3.example.org.',
  add: 'Ort hinzufügen',
  removeLocation: (n) => `Ort ${n} weglassen`,
  threshold: 'Wie viele Orte öffnen eine Datei?',
  thresholdHint: (k, n) =>
    `${k} beliebige von ${n} öffnen sie. ${k === 2 ? 'Einer allein verrät' : `${k - 1} zusammen verraten`} nichts, und ${n - k === 0 ? 'keiner darf' : n - k === 1 ? 'einer darf' : `${n - k} dürfen`} verloren gehen.`,
  noSpare: 'Wenn alle Orte nötig sind, ist mit einem jede Datei verloren. Wählen Sie weniger, oder fügen Sie einen Ort hinzu.',
  layout: 'Wie werden Dateien abgelegt?',
  shared: 'Geteilt: jedes Byte wird aufgeteilt',
  sharedText: (factor) =>
    `Die stärkste Wahl. Es gibt keinen Geheimtext, der später gebrochen werden könnte, auch nicht von einem Quantencomputer. Braucht das ${factor}-Fache der Dateigröße.`,
  sealed: 'Versiegelt: verschlüsselt, dann aufgeteilt',
  sealedText: (factor) =>
    `Spart Platz: das ${factor}-Fache der Größe. Dateien werden mit AES-256 verschlüsselt, Schlüssel und Geheimtext aufgeteilt. Einmal gestohlener Geheimtext bleibt gestohlen.`,
  advanced: 'Weitere Einstellungen',
  name: 'Name des Tresors',
  requireAll: 'Uploads warten auf jeden Ort',
  requireAllHint:
    'Sonst wird ein langsamer Ort später gefüllt, und die Seite sagt es. Hiermit scheitert ein Upload, solange ein Ort fehlt.',
  passphrase: 'Passphrase für die Signaturschlüssel (freiwillig)',
  passphraseHint:
    'Mindestens 12 Zeichen. Quorate fragt bei jedem Start danach. Ohne sie liegt eine Schlüsseldatei bereit, die nur Sie lesen können.',
  passphraseShort: 'Mindestens 12 Zeichen, oder leer lassen.',
  same: 'Zwei Orte sind gleich. Fragmente einer Datei müssen getrennt liegen.',
  empty: 'Sagen Sie, wo dieser Ort ist.',
  bucketMissing: 'Sagen Sie, welcher Bucket.',
  honest:
    'Drei Ordner auf einer Platte schützen vor Schäden, nicht vor jemandem, der diesen Rechner hat. Und dieser Rechner selbst sieht jede Datei, die er teilt oder zusammensetzt.',
  make: 'Tresor anlegen',
  making: 'Der Tresor wird angelegt',
  have: 'Sie haben schon einen Tresor?',
  recover: 'Von seinen Orten zurückholen',
  restore: 'oder aus seinem Wiederherstellungssatz',
}
