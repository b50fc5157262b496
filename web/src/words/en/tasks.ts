// English: long work.
import type { Task } from '#contract'

export const tasks = {
  title: 'Work',
  recent: 'Recent work',
  none: 'Nothing ran yet.',
  kinds: {
    scrub: 'Check',
    repair: 'Repair',
    upload: 'Upload',
    recover: 'Bring back',
    copy: 'Copy',
    remove: 'Remove',
    change: 'Change',
    restore: 'Restore',
    import: 'Import',
    drill: 'Recovery drill',
  } satisfies Record<Task['kind'], string>,
  states: { running: 'running', done: 'done', failed: 'failed', cancelled: 'cancelled' } satisfies Record<Task['state'], string>,
  cancel: (what: string): string => `Cancel: ${what}`,
  units: {
    bytes: (n: string): string => n,
    fragments: (n: string): string => `${n} fragments`,
    files: (n: string): string => `${n} files`,
  },
  of: (done: string, total: string): string => `${done} of ${total}`,
  left: (time: string): string => `${time} left`,
  finished: (what: string, state: string): string => `${what}: ${state}.`,
}
