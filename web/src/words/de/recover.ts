// Deutsch: der Weg zur Wiederherstellung.
import type { Words } from '../en.ts'

export const recover: Words['recover'] = {
  title: 'Einen Tresor zurückholen',
  text: 'Nennen Sie seine Orte, in beliebiger Reihenfolge. So viele, wie die Schwelle sagt, genügen: Der Tresor selbst sagt, wo die anderen sind. Für einen verlorenen nennen Sie einen neuen, leeren Ordner, und dann auch alle anderen; Reparieren füllt ihn.',
  kitTitle: 'Aus einem Wiederherstellungssatz',
  kitText:
    'Der Satz sagt, welche Orte der Tresor hat und wessen Schlüssel ihn unterschrieben haben. Seine Dateien werden in dieser Seite gelesen; diesen Rechner verlässt nur, was die Orte gefragt werden.',
  start: 'Zurückholen',
  passphrase: 'Passphrase der Signaturschlüssel, falls es eine gab',
  done: 'Der Tresor ist wieder da.',
  back: 'Stattdessen einen neuen Tresor anlegen',
}
