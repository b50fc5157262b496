// Many histories on all cores. Each failure comes with its seed, which runs the same way again.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Told {
  readonly seed: number
  readonly commands?: number
  /** What was asked of the locations, in order, as one number. */
  readonly trace?: string
  readonly history?: readonly string[]
  readonly failure?: string
}

export interface Schedules {
  readonly first: number
  readonly count: number
  readonly epochs: number
  readonly commands: number
  /** Of so many histories one has two sites. */
  readonly two: number
}

/** Throws the first failure; answers what each history told. */
export async function runSchedules({ first, count, epochs, commands, two }: Schedules): Promise<Told[]> {
  const processes = Math.min(count, availableParallelism())
  const each = Math.ceil(count / processes)
  const told: Told[] = []
  await Promise.all(
    Array.from({ length: processes }, async (_, index) => {
      const begin = first + index * each
      const numbers = [begin, Math.min(each, first + count - begin), epochs, commands, two]
      if (numbers[1]! <= 0) return
      const child = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'run.ts'), ...numbers.map(String)],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      const exited = once(child, 'exit')
      for await (const line of createInterface({ input: child.stdout })) told.push(JSON.parse(line) as Told)
      await exited
    }),
  )
  const failed = told.filter(({ failure }) => failure !== undefined)
  assert.equal(
    failed.length,
    0,
    `${failed.length} of ${count} histories failed; SEED=${failed[0]?.seed} runs the first again\n${failed[0]?.failure}`,
  )
  assert.equal(told.length, count, 'every history told its end')
  return told
}
