// Long work runs at the site; here somebody watches it and stops it when told to.
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure, type FailureCode, CODES } from '#base'
import type { Finding, Task } from '#contract'
import { EXIT } from './exit-codes.ts'
import type { Context } from './context.ts'
import { counted, duration, printable, size, table } from './words.ts'

const FIRST_LOOK_MS = 20
const LOOK_MS_MAX = 500
const FINDINGS_SHOWN = 50

/** Waits for the end of a task. A signal cancels the task at the site, too. */
export async function watchTask(context: Context, started: Task): Promise<Task> {
  const meter = context.out.meter()
  let task = started
  for (let waitMs = FIRST_LOOK_MS; task.state === 'running'; waitMs = Math.min(LOOK_MS_MAX, waitMs * 2)) {
    meter.show(picture(task))
    await sleep(waitMs, undefined, { signal: context.signal }).catch(() => {})
    task = context.signal.aborted ? await context.client.cancelTask(task.id) : await context.client.task(task.id)
  }
  await meter.close()
  return task
}

/** Says how it ended; the exit code is `degraded` when something was found, `unreadable` when something cannot be opened. */
export async function tellTask(context: Context, task: Task, words: { readonly done: string }): Promise<number> {
  await context.out.value(task)
  const findings = task.report?.findings ?? []
  if (task.report !== null) {
    const { checkedFragments, checkedBytes, repairedFragments, moreFindings } = task.report
    const repaired = repairedFragments > 0 ? `, ${counted(repairedFragments, 'fragment')} written again` : ''
    await context.out.line(`${words.done}: ${counted(checkedFragments, 'fragment')} checked (${size(checkedBytes)})${repaired}`)
    await tellFindings(context, findings, moreFindings)
  }
  if (task.problem !== null) await context.out.problem(failureOf(task))
  if (findings.some((finding) => finding.kind === 'unreadable')) return EXIT.unreadable
  if (task.state !== 'done') return EXIT.failed
  return findings.length > 0 || (task.report?.moreFindings ?? 0) > 0 ? EXIT.degraded : EXIT.done
}

/** As `tellTask`, for work on names: what was done, counted, and what was not. */
export async function tellRemoval(context: Context, task: Task, words: { readonly done: string }): Promise<number> {
  await context.out.value(task)
  const findings = task.report?.findings ?? []
  if (task.report !== null) {
    await context.out.line(`${words.done}: ${task.done} of ${task.total}`)
    await tellFindings(context, findings, task.report.moreFindings)
  }
  if (task.problem !== null) await context.out.problem(failureOf(task))
  if (task.state !== 'done') return EXIT.failed
  return findings.length > 0 ? EXIT.degraded : EXIT.done
}

async function tellFindings(context: Context, findings: readonly Finding[], more: number): Promise<void> {
  const shown = findings.slice(0, FINDINGS_SHOWN)
  const rows = shown.map(({ kind, location, path, fragment, detail }) => [
    kind,
    printable(location),
    printable(path === '' ? fragment : path),
    printable(detail),
  ])
  for (const row of table(rows)) await context.out.line(`  ${row}`)
  const rest = findings.length - shown.length + more
  if (rest > 0) await context.out.line(`  and ${rest} more; --json shows ${counted(findings.length, 'finding')}`)
}

function failureOf(task: Task): Failure {
  const problem = task.problem!
  const code = (problem.code in CODES ? problem.code : 'base.internal') as FailureCode
  return new Failure(code, {
    detail: problem.detail,
    culprits: problem.culprits,
    ...(problem.next === undefined ? {} : { next: problem.next }),
  })
}

function picture(task: Task): string {
  const amount =
    task.unit === 'bytes' ? `${size(task.done)} of ${size(task.total)}` : `${task.done} of ${counted(task.total, task.unit.slice(0, -1))}`
  const rate = task.bytesPerSecond > 0 ? `  ${size(task.bytesPerSecond)}/s` : ''
  const left = task.remainingSeconds === null ? '' : `  ${duration(task.remainingSeconds)} left`
  return `${printable(task.title)}  ${amount}${rate}${left}`
}
