// The files of a checkout, without what is installed, built or left by programs.
import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Repository } from './findings.ts'

const FILES_MAX = 20_000
const SKIPPED_ANYWHERE = new Set(['.git', 'node_modules', '.DS_Store', '__pycache__'])

/** `.gitignore` is read as far as ours goes: names, folders with a slash at the end, `*.ending`, and paths from the root. */
export function readRepository(root: string): Repository {
  const ignored = ignoredBy(readOr(join(root, '.gitignore'), ''))
  const files: string[] = []

  function walk(folder: string): void {
    const entries: Dirent[] = readdirSync(join(root, folder), { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (SKIPPED_ANYWHERE.has(entry.name) || ignored(path, entry.name)) continue
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile()) files.push(path)
      if (files.length > FILES_MAX) throw new Error(`more than ${FILES_MAX} files`)
    }
  }

  walk('')
  const texts = new Map<string, string>()
  return {
    root,
    files,
    read: (file) => {
      const text = texts.get(file) ?? readFileSync(join(root, file), 'utf8')
      texts.set(file, text)
      return text
    },
  }
}

function ignoredBy(gitignore: string): (path: string, name: string) => boolean {
  const patterns = gitignore
    .split('\n')
    .map((line) => line.trim().replace(/\/$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
  return (path, name) =>
    patterns.some((pattern) => {
      if (pattern.startsWith('/')) return path === pattern.slice(1)
      if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1))
      return name === pattern || path === pattern
    })
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}
