// Runs test files with node:test in a process of its own, says one line for each file and every failure in full, and sends the counts to its parent.
import { relative } from 'node:path'
import { run } from 'node:test'
import { inspect } from 'node:util'
import type { Counts, Job } from './job.ts'

type TestEvents = ReturnType<typeof run>

const { root, files, concurrency, timeoutMs } = JSON.parse(process.argv[2]!) as Job

const events = run({
  cwd: root,
  files: [...files],
  concurrency,
  timeout: timeoutMs,
  execArgv: ['--disable-warning=ExperimentalWarning'],
})
const counts = await report(events)
process.send!(counts)

async function report(events: TestEvents): Promise<Counts> {
  const skips: string[] = []
  const empty: string[] = []
  /** Names from the outermost suite inwards, by file. */
  const names = new Map<string, string[]>()
  let total = { passed: 0, failed: 1, skipped: 0 }

  for await (const { type, data } of events) {
    switch (type) {
      case 'test:start':
        names.set(data.file ?? '', [...(names.get(data.file ?? '') ?? []).slice(0, data.nesting), data.name])
        break
      case 'test:fail':
        if (!isAboutChildren(data.details.error)) {
          const path = [...(names.get(data.file ?? '') ?? []).slice(0, data.nesting), nameOf(data.name)].join(' > ')
          say(`✖ ${path}  (${placeOf(data.file, data.line)})`)
          say(indented(inspect(causeOf(data.details.error), { depth: 6, colors: process.stdout.isTTY })))
        }
        break
      case 'test:pass':
        if (data.name === data.file) {
          // A file without tests passes as a whole; zero cases is a failure.
          empty.push(data.file)
          say(`✖ ${placeOf(data.file)}  holds no test`)
        }
        if (typeof data.skip === 'string' || data.skip) skips.push(`${placeOf(data.file, data.line)}  ${data.name}${reason(data.skip)}`)
        break
      case 'test:diagnostic':
        // What the runner itself complains of, such as errors after the end of a test; what tests tell of themselves is left out.
        if (/^(?:Error|Warning): /.test(data.message)) say(`✖ ${placeOf(data.file)}  ${data.message}`)
        break
      case 'test:stdout':
      case 'test:stderr':
        process.stdout.write(data.message)
        break
      case 'test:summary': {
        const { passed, failed, cancelled, skipped, todo } = data.counts
        const seconds = (data.duration_ms / 1000).toFixed(1)
        if (data.file === undefined) {
          total = { passed: passed - empty.length, failed: failed + cancelled + empty.length, skipped: skipped + todo }
        } else {
          const parts = [count(failed + cancelled, 'failed'), count(passed, 'passed'), count(skipped + todo, 'skipped')]
          say(`${failed + cancelled === 0 ? '✔' : '✖'} ${placeOf(data.file)}  ${parts.filter(Boolean).join(', ')}  ${seconds} s`)
        }
        break
      }
      default:
    }
  }
  return { ...total, skips }
}

function nameOf(name: string): string {
  return name.startsWith(root) ? `${relative(root, name)} as a whole` : name
}

function placeOf(file: string | undefined, line?: number): string {
  return `${relative(root, file ?? root)}${line === undefined ? '' : `:${line}`}`
}

function reason(skip: unknown): string {
  return typeof skip === 'string' && skip !== '' ? `: ${skip}` : ''
}

function count(number: number, what: string): string {
  return number === 0 ? '' : `${number} ${what}`
}

/** A suite fails when a test in it fails; that is not said twice. */
function isAboutChildren(error: Error): boolean {
  return (error as { failureType?: string }).failureType === 'subtestsFailed'
}

function causeOf(error: Error): unknown {
  const { exitCode, signal } = error as { exitCode?: number | null; signal?: string | null }
  if (exitCode !== undefined || signal !== undefined) return `its process ended with ${signal ?? `exit code ${exitCode}`}`
  return error.cause ?? error.message
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '    ')
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
