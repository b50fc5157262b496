// English: what sharing is, in one picture.
export const lesson = {
  title: 'A file becomes fragments in several places',
  text: 'Any two of three places open the file. One alone is noise: it tells nothing but sizes and times. Any one may burn down.',
  try: 'Take a place away and see.',
  place: (letter: string): string => `Place ${letter}`,
  there: 'there',
  gone: 'taken away',
  opens: 'opens',
  noise: 'noise',
  all: 'Three places: the file opens, and one may still be lost.',
  two: 'Two places: the file opens. Time to repair the third.',
  one: 'One place alone: noise. It tells nothing about the file.',
  none: 'No place: nothing.',
  file: 'the file',
}
