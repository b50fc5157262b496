// The test command: finds the tests, starts the real servers that are installed, runs node:test over them, and lists what was not found.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const slow = process.argv.includes('--slow')
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const files = globSync(slow ? 'test/**/*.slow.ts' : 'test/**/*.test.ts', { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .toSorted()
if (files.length === 0) {
  console.error('no test file matches')
  process.exit(1)
}

const child = spawn(
  process.execPath,
  ['--disable-warning=ExperimentalWarning', '--test', '--test-timeout=300000', '--test-concurrency=2', '--test-reporter=spec', ...files],
  { cwd: root, stdio: 'inherit', env: process.env },
)
child.on('exit', (code) => process.exit(code ?? 1))
