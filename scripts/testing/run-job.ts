// Starts the process that runs test files, as a group of its own that is gone when this is over, with all that the tests started.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Counts, Job } from './job.ts'

export interface RunningJob {
  readonly counts: Promise<Counts>
  /** Kills the group at once; safe at any time. */
  kill(): void
}

export function runJob(job: Job, { env, jobMsMax }: { readonly env: NodeJS.ProcessEnv; readonly jobMsMax: number }): RunningJob {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'run-files.ts'), JSON.stringify(job)],
    { cwd: job.root, env, detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )
  const kill = (): void => killGroup(child)
  const counts = new Promise<Counts>((resolve) => {
    let counted: Counts | undefined
    const timer = setTimeout(() => {
      console.error(`✖ the tests have not ended after ${jobMsMax / 60_000} minutes`)
      kill()
    }, jobMsMax)
    child.on('message', (message) => {
      counted = message as Counts
    })
    child.on('error', (error) => console.error(error.message))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      kill()
      if (!counted) console.error(`✖ the test runner ended early (${signal ?? code})`)
      resolve(counted ?? { passed: 0, failed: 1, skipped: 0, skips: [] })
    })
  })
  return { counts, kill }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody of the group is left.
  }
}
