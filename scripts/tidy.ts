// The tidiness check: fails on anything that breaks the rooms table or the habits of CONVENTIONS, so that the picture cannot lie.
// Usage: tidy.ts [FOLDER], by default this checkout.
import { resolve } from 'node:path'
import { codeRule } from './tidy/code.ts'
import type { Finding, Rule } from './tidy/findings.ts'
import { importRule } from './tidy/imports.ts'
import { linkRule } from './tidy/links.ts'
import { machineRule } from './tidy/machines.ts'
import { nameRule } from './tidy/names.ts'
import { readRepository } from './tidy/repository.ts'

const RULES: readonly Rule[] = [importRule, codeRule, nameRule, machineRule, linkRule]

export function tidy(root: string): { readonly findings: readonly Finding[]; readonly files: number } {
  const repository = readRepository(root)
  const findings = RULES.flatMap((rule) => rule(repository))
  return {
    findings: findings.toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1)),
    files: repository.files.length,
  }
}

if (import.meta.main) {
  const { findings, files } = tidy(resolve(process.argv[2] ?? resolve(import.meta.dirname, '..')))
  for (const { file, line, what } of findings) console.error(`${file}:${line}  ${what}`)
  console.log(findings.length === 0 ? `${files} files are tidy` : `${findings.length} untidy places in ${files} files`)
  process.exitCode = findings.length === 0 ? 0 : 1
}
