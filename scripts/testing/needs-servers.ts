// Which tests ask for the real servers: those whose files, or files they import, name one of the variables that announce them.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { importsOf, readSource } from '../tidy/source.ts'

const ANNOUNCED = /\bQUORATE_TEST_[A-Z0-9]/

export function needsServers(files: readonly string[]): boolean {
  const seen = new Set(files)
  for (const file of seen) {
    const text = readFileSync(file, 'utf8')
    if (ANNOUNCED.test(text)) return true
    for (const { specifier } of importsOf(readSource(text))) {
      const imported = resolve(dirname(file), specifier)
      if (specifier.startsWith('.') && /\.[mc]?[jt]sx?$/.test(specifier) && existsSync(imported)) seen.add(imported)
    }
  }
  return false
}
