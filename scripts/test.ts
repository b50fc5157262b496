// The test command: checks the code, starts the real servers that are installed, runs the tests, and says what was not found.
// Usage: test.ts [--unit] [--slow] [PART-OF-A-PATH...]
//   --unit   no servers, no browser, no end-to-end tests
//   --slow   the long tests (test/**/*.slow.ts) instead
//   parts    only files whose path contains one of them; without the checks
// REQUIRE_SERVERS=1 fails at once when a real server is missing, and counts a test as failed that is skipped as `not found: X (Debian: PACKAGES)`.
import { chmodSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, constants, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Counts } from './testing/job.ts'
import { needsServers } from './testing/needs-servers.ts'
import { type RunningJob, runJob } from './testing/run-job.ts'

interface Servers {
  readonly env: Record<string, string>
  readonly missing: readonly string[]
  stop(): Promise<void>
  /** One is installed and did not come up. */
  readonly failed?: boolean
}

interface Stage {
  readonly files: readonly string[]
  readonly concurrency: number
}

const root = resolve(import.meta.dirname, '..')
const FILES_AT_ONCE_MAX = 4
const SLOW_FILES_AT_ONCE = 2
const TEST_MS_MAX = 600_000
const SLOW_TEST_MS_MAX = 3_600_000
/** How a test that is skipped says what it lacks. */
const NOT_FOUND = /not found: .+ \(Debian: /
const JOB_MS_MAX = 3_600_000
const SLOW_JOB_MS_MAX = 7_200_000
/** Each of the others is of one process, or waits. */
const ON_ALL_CORES = /test\/sim\//

const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'))
const parts = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const unit = options.includes('--unit')
const slow = options.includes('--slow')
const required = process.env['REQUIRE_SERVERS'] === '1'

/** What has to be undone however this ends, the last first. */
const undo: (() => unknown)[] = []
let running: RunningJob | undefined

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    running?.kill()
    void cleanUp().then(() => process.exit(128 + constants.signals[signal]))
  })
}
process.on('exit', () => running?.kill())

try {
  process.exitCode = await main()
} finally {
  await cleanUp()
}

async function main(): Promise<number> {
  const unknown = options.filter((option) => option !== '--unit' && option !== '--slow')
  const stages = stagesOf()
  if (unknown.length > 0 || stages.length === 0) {
    console.error(unknown.length > 0 ? `unknown option ${unknown.join(' ')}` : 'no test file matches')
    return 2
  }
  const total = { passed: 0, failed: 0, skipped: 0 }
  const skips: string[] = []
  const add = (counts: Counts): void => {
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped += counts.skipped
    skips.push(...counts.skips)
  }

  if (parts.length === 0 && !slow) {
    const { check } = await import('./check.ts')
    const passed = await check()
    console.log(passed ? '✔ checks' : '✖ checks')
    if (!passed) add({ passed: 0, failed: 1, skipped: 0, skips: [] })
  }

  useOwnTemporaryFolder()
  const servers = await serversFor(stages.flatMap(({ files }) => files))
  const incomplete = required && (servers.failed === true || servers.missing.length > 0)
  if (servers.failed || incomplete) add({ passed: 0, failed: 1, skipped: 0, skips: [] })

  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  for (const { files, concurrency } of incomplete ? [] : stages) {
    const job = { root, files, concurrency, timeoutMs: slow ? SLOW_TEST_MS_MAX : TEST_MS_MAX }
    running = runJob(job, { env: { ...environment, ...servers.env }, jobMsMax: slow ? SLOW_JOB_MS_MAX : JOB_MS_MAX })
    add(await running.counts)
    running = undefined
  }
  await cleanUp()
  if (skips.length > 0) console.log(`\nSkipped:\n${skips.map((skip) => `  ${skip}`).join('\n')}`)
  sayMissing(servers.missing)
  const lacking = required ? skips.filter((skip) => NOT_FOUND.test(skip)) : []
  total.skipped -= lacking.length
  total.failed += lacking.length
  if (incomplete || lacking.length > 0) console.log('\n✖ REQUIRE_SERVERS=1: everything that is not found has to be installed')
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  return total.failed === 0 && total.passed > 0 ? 0 : 1
}

/** Quick tests together; what needs a browser, a whole site or all cores comes last and one by one. */
function stagesOf(): Stage[] {
  const files = globSync(slow ? 'test/**/*.slow.ts' : 'test/**/*.test.ts', { cwd: root })
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .toSorted()
    .map((file) => join(root, file))
  if (slow)
    return [
      { files: files.filter((file) => !ON_ALL_CORES.test(file)), concurrency: SLOW_FILES_AT_ONCE },
      { files: files.filter((file) => ON_ALL_CORES.test(file)), concurrency: 1 },
    ].filter((stage) => stage.files.length > 0)
  const whole = files.filter((file) => /\.(?:e2e|browser)\.test\.ts$/.test(file))
  const quick = files.filter((file) => !whole.includes(file))
  return [
    { files: quick, concurrency: Math.min(availableParallelism(), FILES_AT_ONCE_MAX) },
    { files: unit ? [] : whole, concurrency: 1 },
  ].filter((stage) => stage.files.length > 0)
}

/** What tests leave behind is left in here. */
function useOwnTemporaryFolder(): void {
  // Short, because names of sockets have a bound.
  const folder = mkdtempSync(join(tmpdir(), 'q-'))
  // Some servers run as users of their own, who must get through to their folders.
  chmodSync(folder, 0o711)
  process.env['TMPDIR'] = folder
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  undo.push(remove)
  process.on('exit', remove)
}

async function serversFor(files: readonly string[]): Promise<Servers> {
  const none: Servers = { env: {}, missing: [], stop: async () => undefined }
  if (unit || !existsSync(join(import.meta.dirname, 'servers.ts')) || !needsServers(files)) return none
  const { startServers } = (await import('./servers.ts')) as { startServers: () => Promise<Servers> }
  try {
    const servers = await startServers()
    undo.push(() => servers.stop())
    return servers
  } catch (error) {
    console.error('✖ real servers', error)
    return { ...none, failed: true }
  }
}

function sayMissing(missing: readonly string[]): void {
  if (missing.length > 0) console.log(`\nReal servers that are not installed here:\n${missing.map((line) => `  ${line}`).join('\n')}`)
}

async function cleanUp(): Promise<void> {
  for (let step = undo.pop(); step; step = undo.pop()) {
    try {
      await step()
    } catch (error) {
      console.error(error)
    }
  }
}
