// Rules about the names of files.
import type { Finding, Repository } from './findings.ts'

const NAMED = /\.(?:ts|tsx|mts|cts|js|mjs|cjs|jsx|css)$/
const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/
const SAYS_NOTHING = new Set(['util', 'utils', 'common', 'helper', 'helpers', 'manager', 'managers', 'misc'])

export function nameRule({ files }: Repository): Finding[] {
  return files
    .filter((file) => NAMED.test(file) && !file.startsWith('test/data/'))
    .flatMap((file) => {
      const parts = file.split('/')
      const odd = parts.filter((part) => !KEBAB.test(part) && part !== '.ci')
      const empty = parts.flatMap((part) => part.split(/[-.]/)).filter((word) => SAYS_NOTHING.has(word.toLowerCase()))
      return [
        ...odd.map((part) => ({ file, line: 1, what: `${part}: names are in kebab-case` })),
        ...empty.map((word) => ({ file, line: 1, what: `${word}: says nothing about the file` })),
      ]
    })
}
