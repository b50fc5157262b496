// Deutsch: was von einem Ort bekannt ist.
import type { Words } from '../en.ts'
import { zahl, fragmente } from './counts.ts'

export const report: Words['report'] = {
  title: 'Bericht',
  clean: 'Alles ist, wie es sein soll.',
  checked: (n, size) => `${fragmente(n)} angesehen, ${size}.`,
  repaired: (n) => `${fragmente(n)} neu geschrieben.`,
  unrepaired: 'Noch nicht alles ließ sich reparieren.',
  findings: (n) => (n === 1 ? '1 Befund' : `${zahl(n)} Befunde`),
  more: (n) => `und ${zahl(n)} weitere`,
  at: 'Ort',
  file: 'Datei',
  what: 'Befund',
  kinds: {
    lost: 'verloren',
    corrupt: 'beschädigt',
    'head-copy': 'eine Kopie des Kopfes ist beschädigt',
    unreadable: 'nicht lesbar',
    orphan: 'gehört zu keiner Datei',
    incomplete: 'unvollständig',
    conflict: 'zwei Austeilungen einer Version',
    unreachable: 'Ort antwortet nicht',
    skipped: 'übergangen',
    differs: 'hat andere Bytes',
  },
  show: 'Bericht zeigen',
}
