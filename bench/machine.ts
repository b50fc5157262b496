// What a figure needs beside it to mean something: the code and the machine it was taken on. Neither names the host nor its folders.
import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    // The number alone: what follows it names who built it.
    kernel: `${type()} ${release().split('-')[0]}`,
    node: process.version,
  }
}

/** Undefined outside a checkout. */
export function commit(root: string): { readonly commit: string; readonly dirty: boolean } | undefined {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    // Results of earlier runs make a tree no other code.
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!bench/results')
    return { commit: git('rev-parse', '--short=12', 'HEAD').trim(), dirty: changed.trim() !== '' }
  } catch {
    return undefined
  }
}

/** Programs that wanted a core in the last minute: well above zero before we begin means noise. */
export function load(): number {
  return Number(loadavg()[0]!.toFixed(2))
}
