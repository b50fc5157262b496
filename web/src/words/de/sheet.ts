// Deutsch: das Wiederherstellungsblatt.
import type { Words } from '../en.ts'

export const sheet: Words['sheet'] = {
  title: 'Ihr Wiederherstellungsblatt',
  made: 'Der Tresor ist bereit',
  lead: 'Drucken Sie es und verwahren Sie es bei Ihren Verträgen. Es enthält kein Geheimnis: Wer es findet, kann nichts öffnen.',
  vault: 'Tresor',
  rule: 'Regel',
  ruleText: (k, n) => `${k} beliebige von ${n} Orten öffnen eine Datei`,
  layout: 'Ablage',
  created: 'Angelegt',
  locations: 'Orte',
  dealer: 'Fingerabdruck des Ausstellers',
  dealerHint: 'Unterscheidet einen echten Tresor von einem gefälschten. Beim Wiederherstellen vergleichen.',
  how: 'Wenn dieser Rechner verloren ist',
  howText: (k) =>
    `Auf jedem Rechner mit Python, mit ${k} der Orte als Ordner (oder heruntergeladenem Bucket), ohne laufende Software von uns:`,
  or: 'Oder starten Sie Quorate auf einem anderen Rechner und wählen „Von seinen Orten zurückholen“.',
  notes: 'Notizen (wo liegen Zugangsschlüssel und Passphrase?)',
  print: 'Drucken',
  go: 'Zu den Dateien',
  show: 'Wiederherstellungsblatt',
}
