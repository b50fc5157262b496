// English: what a location is known for.
import type { Finding } from '#contract'
import { fragments } from './counts.ts'

export const report = {
  title: 'Report',
  clean: 'All is as it should be.',
  checked: (n: number, size: string): string => `${fragments(n)} looked at, ${size}.`,
  repaired: (n: number): string => `${fragments(n)} written again.`,
  unrepaired: 'Not everything could be repaired yet.',
  findings: (n: number): string => (n === 1 ? '1 finding' : `${n} findings`),
  more: (n: number): string => `and ${n} more`,
  at: 'Location',
  file: 'File',
  what: 'Finding',
  kinds: {
    lost: 'lost',
    corrupt: 'damaged',
    'head-copy': 'a copy of its head is damaged',
    unreadable: 'cannot be read',
    orphan: 'belongs to no file',
    incomplete: 'incomplete',
    conflict: 'two dealings of one version',
    unreachable: 'location does not answer',
    skipped: 'passed over',
    differs: 'has other bytes',
  } satisfies Record<Finding['kind'], string>,
  show: 'Show report',
}
