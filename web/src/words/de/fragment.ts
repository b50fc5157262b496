// Deutsch: ein Fragment von innen.
import type { Words } from '../en.ts'

export const fragment: Words['fragment'] = {
  title: (label) => `Was ${label} sieht`,
  noise: 'Das ist alles, was dieser Ort von der Datei weiß: Rauschen.',
  means: (k) =>
    `Jeder Wert ist etwa so häufig wie jeder andere, vom Inhalt scheint also nichts durch; ${k === 2 ? 'ein zweiter Ort ist' : `${k - 1} weitere Orte sind`} nötig. Zu sehen sind Größen und Zeiten, und dass es eine Datei gibt.`,
  head: (bytes) => `Die ersten ${bytes} Bytes sind sein Etikett: zufällige Kennungen und Zähler, kein Name.`,
  picture: 'Die Bytes als Bild: jedes ist ein graues Quadrat',
  histogram: 'Wie oft jeder Wert von 0 bis 255 vorkommt',
  even: 'völlig gleichmäßig',
  entropy: (bits, most) => `${bits} Bit je Byte; reiner Zufall ergibt in einer Probe dieser Größe ${most}.`,
  hex: 'Die Bytes als Zahlen',
  hexLabel: 'Erste Bytes des Fragments hexadezimal',
  other: 'Ein anderer Ort',
  compare: 'Mit der Datei selbst vergleichen',
  compareHide: 'Datei ausblenden',
  file: 'Die Datei selbst',
  fragment: 'Das Fragment',
  bytes: (n) => `${n} Bytes gezeigt`,
  shortFile: 'Die Datei ist sehr kurz; ihr Fragment ist vor allem Füllung, ebenso gut verborgen.',
}
