// The processes of a real server: found, frozen for sure, and let go.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Every process below one, wherever its group is. */
export function processesBelow(pid: number): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
  const children = stdout.split('\n').filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...processesBelow(child)])
}

/** Stops them; resolves when each has: one that still runs might answer meanwhile. */
export async function freeze(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signalled(pid, 'SIGSTOP')
  for (let look = 0; look < 1000 && !pids.every(isStopped); look += 1) await new Promise((resolve) => setTimeout(resolve, 5))
}

export function thaw(pids: readonly number[]): void {
  for (const pid of pids) signalled(pid, 'SIGCONT')
}

function isStopped(pid: number): boolean {
  try {
    return /\) [TZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

/** One that has ended meanwhile needs no signal. */
export function signalled(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
