// Runs recovery/recover.py as a person in distress would.
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { hashOf } from './crash-model.ts'

const PROGRAM = resolve(import.meta.dirname, '../../recovery/recover.py')
const python = ['python3', 'python'].find((name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0)

export interface PyReport {
  readonly exit: number
  readonly files: readonly { readonly path: string | null; readonly state: string; readonly dealer?: string }[]
  readonly blames: readonly { readonly file: string; readonly location: string }[]
  readonly notes: readonly string[]
}

/** Why the program cannot run here, or undefined. */
export function noPython(): string | undefined {
  return python === undefined ? 'python3 (3.8 or later) is not here: recover.py was not held against the product' : undefined
}

/** Restores into a new folder below `root`. */
export async function recoverPy(
  root: string,
  locations: readonly string[],
  ...options: readonly string[]
): Promise<{ readonly status: number | null; readonly report: PyReport; readonly out: string }> {
  const out = await mkdtemp(join(root, 'out-'))
  const run = spawnSync(python!, ['-B', PROGRAM, '--json', '--out', out, ...options, ...locations], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (run.stdout === '') throw new Error(run.stderr)
  return { status: run.status, report: JSON.parse(run.stdout) as PyReport, out }
}

/** Path in the vault and SHA-256 of every file below a folder. */
export async function restoredFiles(out: string): Promise<Map<string, string>> {
  const files = (await readdir(out, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const found = new Map<string, string>()
  for (const { parentPath, name } of files.toSorted((a, b) => (join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1)))
    found.set(`/${relative(out, join(parentPath, name))}`, hashOf(await readFile(join(parentPath, name))))
  return found
}
