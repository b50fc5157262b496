// Runs a command and says what it cost: wall time, CPU time of it and all its children, the largest memory it held.
import { spawn } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Cost {
  readonly wallS: number
  /** User and system time of the process and its children. */
  readonly cpuS: number
  /** Largest resident memory of one of its processes. */
  readonly rssBytesMax: number
  readonly output: string
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly folder?: string
}

const WATCH_MS = 20

/** Throws when the command fails. The shell around it only reports the times of what it has waited for. */
export async function run({ program, args, env, folder }: Command): Promise<Cost> {
  const started = performance.now()
  const child = spawn('bash', ['-c', '"$@"; status=$?; times >&3; exit $status', 'bash', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(folder === undefined ? {} : { cwd: folder }),
  })
  const texts = ['', '', '', '']
  for (const at of [1, 2, 3]) child.stdio[at]!.on('data', (bytes: Buffer) => (texts[at] += bytes.toString()))
  let rssBytesMax = 0
  const watch = setInterval(() => {
    rssBytesMax = Math.max(rssBytesMax, ...descendants(child.pid!).map(peakBytes))
  }, WATCH_MS)
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (status !== 0) throw new Error(`${program} ended with ${status}: ${texts[2]!.trim().slice(-2000)}`)
  } finally {
    clearInterval(watch)
  }
  // The second line is of the children: `0m0.100s 0m0.050s`.
  const times = [
    ...texts[3]!
      .trim()
      .split('\n')[1]!
      .matchAll(/(\d+)m([\d.]+)s/g),
  ]
  const cpuS = times.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
  return { wallS: (performance.now() - started) / 1000, cpuS, rssBytesMax, output: texts[1]! }
}

/** Where a program lies, or undefined. */
export function find(program: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** The line for a peer that is not here. */
export function notFound(program: string, packages: string): string {
  return `${program} (Debian: ${packages}) not found`
}

function descendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((part) => part !== '')
    .map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}

function peakBytes(pid: number): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? []
  return kibibytes === undefined ? 0 : Number(kibibytes) * 1024
}

/** Processes come and go, and other systems have no /proc: then it says nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
