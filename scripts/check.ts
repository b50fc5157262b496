// Everything that can be judged without running the product: types, lint, format, tidiness, and that the kernel is what its sources give.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'

interface Check {
  readonly name: string
  /** A script of this checkout, or the program of a package, with its arguments. */
  readonly command: readonly string[]
  /** Left out while this file does not exist. */
  readonly needs?: string
}

interface Outcome {
  readonly name: string
  readonly passed: boolean
  readonly output: string
  readonly seconds: number
}

const root = resolve(import.meta.dirname, '..')
const CHECK_MS_MAX = 600_000

const CHECKS: readonly Check[] = [
  { name: 'types', command: [program('typescript', 'tsc'), '-p', '.'] },
  { name: 'types of the page', command: [program('typescript', 'tsc'), '-p', 'web', '--noEmit'], needs: 'web/tsconfig.json' },
  { name: 'lint', command: [program('oxlint', 'oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'format', command: [program('oxfmt', 'oxfmt'), '--check', '.'] },
  { name: 'tidiness', command: ['scripts/tidy.ts'] },
  { name: 'kernel from its sources', command: ['scripts/build-kernel.ts', '--check'], needs: 'scripts/build-kernel.ts' },
  {
    name: 'recovery page from its sources',
    command: ['scripts/build-recovery-page.ts', '--check'],
    needs: 'scripts/build-recovery-page.ts',
  },
]

/** Runs every check, says one line each, and the whole output of those that fail. True when all passed. */
export async function check(): Promise<boolean> {
  const queue = CHECKS.filter(({ needs }) => needs === undefined || existsSync(join(root, needs)))
  const outcomes: Outcome[] = []
  const workers = Array.from({ length: Math.min(availableParallelism(), queue.length) }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const outcome = await run(next)
      outcomes.push(outcome)
      console.log(`${outcome.passed ? '✔' : '✖'} ${outcome.name} (${outcome.seconds.toFixed(1)} s)`)
      if (!outcome.passed) console.log(outcome.output.trimEnd())
    }
  })
  await Promise.all(workers)
  return outcomes.every(({ passed }) => passed)
}

async function run({ name, command }: Check): Promise<Outcome> {
  const start = performance.now()
  return new Promise((done) => {
    const chunks: Buffer[] = []
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...command], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: CHECK_MS_MAX,
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    const end = (passed: boolean): void => {
      done({ name, passed, output: Buffer.concat(chunks).toString(), seconds: (performance.now() - start) / 1000 })
    }
    child.on('error', (error) => {
      chunks.push(Buffer.from(error.message))
      end(false)
    })
    child.on('close', (code) => end(code === 0))
  })
}

/** The file of a program that a package brings, so that it runs on this Node and not on the one in PATH. */
function program(name: string, bin: string): string {
  const folder = join(root, 'node_modules', name)
  const { bin: bins } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: string | Record<string, string> }
  const file = typeof bins === 'string' ? bins : bins[bin]
  if (file === undefined) throw new Error(`${name} brings no program ${bin}`)
  return join(folder, file)
}

if (import.meta.main) process.exitCode = (await check()) ? 0 : 1
