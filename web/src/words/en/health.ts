// English: the health page.
import { files, fragments } from './counts.ts'

export const health = {
  label: 'Health of the vault',
  none: 'No vault',
  healthy: 'Healthy',
  degraded: 'Degraded',
  unreadable: 'Not readable',
  unknown: 'No answer',
  healthyText: 'Every file lies at all its locations.',
  degradedTitle: 'Every file still opens',
  degradedText: (due: number): string => (due === 0 ? 'A location is away.' : `${fragments(due)} to repair.`),
  withoutRedundancy: (n: number): string =>
    `${files(n)} ${n === 1 ? 'has' : 'have'} no spare left: one more loss and ${n === 1 ? 'it does' : 'they do'} not open.`,
  unreadableTitle: 'Some files cannot be opened now',
  unreadableText: (k: number): string => `Fewer than ${k} locations hold them at the moment. Bring a location back; nothing is deleted.`,
  repair: 'Repair',
  filling: 'Fragments are written where they are missing.',
  waiting: 'Bring the location back, or put an empty folder in its place; then repair.',
  changed: {
    none: 'There is no vault.',
    healthy: 'The vault is healthy again.',
    degraded: 'The vault is degraded. Every file still opens.',
    unreadable: 'Some files cannot be opened now.',
  },
}
