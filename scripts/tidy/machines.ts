// Nothing of the machine it was written on: no absolute paths of homes, no package registries.
import type { Finding, Repository } from './findings.ts'
import { lineAt } from './source.ts'

const TEXT_CHARACTERS_MAX = 4_000_000

const TRACES: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /(?<![\w.~$})\]*/-])\/(?:work|root|(?:home|Users)\/[a-z][\w.-]*)\/[\w.-]/g, what: 'an absolute path of one machine' },
  { pattern: /\bfile:\/\/\/[a-z]/gi, what: 'an absolute path of one machine' },
  {
    pattern:
      /\b(?:registry\.[a-z0-9-]+\.[a-z]{2,}|(?:[a-z0-9-]+\.)*(?:npmjs|pypi|pythonhosted|yarnpkg|jfrog)\.(?:org|com|io)|proxy\.golang\.org)\b/gi,
    what: 'a package registry',
  },
  { pattern: /"resolved":\s*"https?:/g, what: 'a package registry' },
]

export function machineRule(repository: Repository): Finding[] {
  return repository.files.flatMap((file) => {
    const text = repository.read(file)
    if (text.includes('\0') || text.length > TEXT_CHARACTERS_MAX) return []
    return TRACES.flatMap(({ pattern, what }) =>
      [...text.matchAll(pattern)].map((match) => ({ file, line: lineAt(text, match.index), what: `${match[0].trim()}: ${what}` })),
    )
  })
}
