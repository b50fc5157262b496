// Deutsch: Standorte, die in einen Tresor schreiben.
import type { Words } from '../en.ts'

export const writers: Words['writers'] = {
  title: 'Standorte, die in diesen Tresor schreiben',
  alone: 'Nur dieser Standort schreibt in den Tresor. Ein weiterer, mit eigenem Rechner und eigenen Schlüsseln, kann es ebenfalls.',
  several:
    'Diese Standorte schreiben in den Tresor, jeder folgt den anderen. Ändern zwei zugleich dieselbe Datei, bleiben beide Fassungen.',
  dealer: 'Der Standort des Wiederherstellungsblatts',
  own: 'dieser Standort',
  removed: 'wurde entfernt, schreibt nicht mehr',
  copy: (name) => `Fingerabdruck von ${name} kopieren`,
  copied: 'kopiert',
  add: 'Standort schreiben lassen',
  addText:
    'Am anderen Standort „quorate writer key“ ausführen und die ausgegebene Zeile hier einfügen. Den Fingerabdruck mit der Person dort am Telefon vergleichen. Danach tritt der Standort mit „quorate join“ bei.',
  name: 'Wie der Standort heißt',
  line: 'Seine Schlüsselzeile',
  added: (name) => `${name} darf in den Tresor schreiben`,
  remove: (name) => `${name} von der Liste nehmen`,
  removeText:
    'Er kann nie wieder schreiben. Was er abgelegt hat, bleibt lesbar. Soll er auch nicht mehr lesen, sind die Zugangsschlüssel der Orte zu ändern.',
  acknowledge: 'Ich habe mich darum gekümmert',
}
