// English: the details of a file.
import type { Placement } from '#contract'

type FragmentState = Placement['fragments'][number]['state']

export const details = {
  map: 'On a map',
  mapOf: 'Where the fragments of this file are',
  title: (name: string): string => `Details of ${name}`,
  close: 'Close the details',
  size: 'Size',
  type: 'Type',
  modified: 'Changed',
  version: 'Version',
  where: 'Where its fragments lie',
  ways: (k: number, n: number): string => `Any ${k} of these ${n} open the file.`,
  states: { held: 'held', lost: 'lost', corrupt: 'damaged', pending: 'still to come', away: 'location away' } satisfies Record<
    FragmentState,
    string
  >,
  look: 'Look at one fragment',
  lookAt: (label: string): string => `Look at the fragment at ${label}`,
  lookHint: 'See what somebody would get who breaks into one location.',
  versions: 'Versions',
  versionLine: (n: number): string => `Version ${n}`,
  current: 'current',
  openVersion: (n: number): string => `Open version ${n}`,
  downloadVersion: (n: number): string => `Download version ${n}`,
  removeVersion: (n: number): string => `Remove version ${n}`,
  removeVersionText: 'Only this version goes; the others stay. This cannot be undone.',
}
