// Deutsch: die Seite ohne Sitzung.
import type { Words } from '../en.ts'

export const signIn: Words['signIn'] = {
  title: 'Öffnen Sie den Link aus Ihrem Terminal',
  text: 'Diese Seite gehört der Person, die Quorate auf diesem Rechner gestartet hat. Wer den Link hat, kommt herein; darum steht er nur im Terminal.',
  step1: 'Gehen Sie zu dem Terminal, in dem Sie eingegeben haben:',
  step2: 'Klicken Sie auf die Zeile, die so beginnt:',
  step3: 'Jeder Start zeigt einen neuen Link; der vorige ist dann nichts mehr wert.',
  spent: 'Dieser Link stammt von einem früheren Start.',
  spentNext: 'Nehmen Sie den neuesten Link aus dem Terminal, oder starten Sie Quorate neu mit npm start.',
  opening: 'Öffnet',
}
