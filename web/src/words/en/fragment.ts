// English: a fragment seen from inside.
export const fragment = {
  title: (label: string): string => `What ${label} sees`,
  noise: 'This is all that this location knows of the file: noise.',
  means: (k: number): string =>
    `Every value is about as frequent as every other, so nothing of the content shines through; ${k === 2 ? 'a second location is' : `${k - 1} more locations are`} needed. What can be seen are sizes and times, and that a file is there.`,
  head: (bytes: number): string => `The first ${bytes} bytes are its label: random ids and counters, no name.`,
  picture: 'The bytes as a picture: each is one grey square',
  histogram: 'How often each value from 0 to 255 occurs',
  even: 'perfectly even',
  entropy: (bits: string, most: string): string => `${bits} bits per byte; pure chance gives ${most} in a sample of this size.`,
  hex: 'The bytes as numbers',
  hexLabel: 'First bytes of the fragment in hexadecimal',
  other: 'Another location',
  compare: 'Compare with the file itself',
  compareHide: 'Hide the file',
  file: 'The file itself',
  fragment: 'The fragment',
  bytes: (n: string): string => `${n} bytes shown`,
  shortFile: 'The file is very short, so its fragment is mostly padding, hidden just as well.',
}
