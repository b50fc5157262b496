// Rules about what is written in a file of code.
import { codeFiles, type Finding, type Repository } from './findings.ts'
import { pureExceptions, roomOf, rooms } from './rooms.ts'
import { lineAt, readSource } from './source.ts'

interface Forbidden {
  readonly pattern: RegExp
  readonly what: string
  readonly allowed: (file: string) => boolean
}

const never = (): boolean => false
const readsEnvironment = /^(?:src\/main|scripts|test|bench|bin)\//
const toolConfig = /\.config\.[a-z]+$/

const FORBIDDEN: readonly Forbidden[] = [
  { pattern: /\bexport\s+default\b/g, what: 'no default exports', allowed: (file) => toolConfig.test(file) },
  { pattern: /\bexport\s*\{[^}]*\bas\s+default\b/g, what: 'no default exports', allowed: never },
  { pattern: /\benum\s+[A-Za-z_$][\w$]*\s*\{/g, what: 'no enums', allowed: never },
  { pattern: /(?<![.\w$])(?:namespace|module)\s+[A-Za-z_$][\w$.]*\s*\{/g, what: 'no namespaces', allowed: never },
  {
    pattern:
      /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[|\{[^{}]*\benv\b[^{}]*\}\s*=\s*process\b|\{[^{}]*\benv\b[^{}]*\}\s*from\s*"\d+"/g,
    what: 'only main reads the environment',
    allowed: (file) => readsEnvironment.test(file) || toolConfig.test(file),
  },
  {
    pattern:
      /(?<![.\w$])(?:Buffer\s*[.(]|process\s*\.|Math\s*\.\s*random\b|Date\s*\.\s*now\b|performance\s*\.\s*now\b|new\s+Date\s*\(\s*\))/g,
    what: 'a pure room has no Node, clock or chance of its own',
    allowed: (file) => !isPure(file),
  },
]

export function codeRule(repository: Repository): Finding[] {
  return codeFiles(repository).flatMap((file) => {
    const text = repository.read(file)
    const { code } = readSource(text)
    const found = FORBIDDEN.filter(({ allowed }) => !allowed(file)).flatMap(({ pattern, what }) =>
      [...code.matchAll(pattern)].map((match) => ({ file, line: lineAt(code, match.index), what })),
    )
    return beginsWithPurpose(text) ? found : [{ file, line: 1, what: 'a file begins with a comment that says what it is for' }, ...found]
  })
}

function isPure(file: string): boolean {
  const room = roomOf(file)
  return room !== undefined && rooms[room]?.pure === true && !pureExceptions.has(file)
}

function beginsWithPurpose(text: string): boolean {
  return /^(?:#![^\n]*\n)?(?:\/\/[ \t]*\S|\/\*[\s*]*[^\s*/])/.test(text)
}
