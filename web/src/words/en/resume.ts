// English: uploads that go on.
export const resume = {
  checking: 'what was sent is being checked',
  proving: 'reading the file again',
  interrupted: 'interrupted',
  byItself: 'It goes on by itself as soon as possible.',
  unfinished: 'Unfinished uploads',
  how: 'Choose or drop the same file in the same folder again: it goes on where it stopped.',
  until: (date: string): string => `kept until ${date}`,
  remove: (name: string): string => `Remove the unfinished upload of ${name}`,
}
