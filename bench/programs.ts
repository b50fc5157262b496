// Our own programs, started as people start them, and what they cost.
import { join, resolve } from 'node:path'
import type { EngineCost, EngineJob } from './engine.ts'
import { type Cost, run } from './processes.ts'

const root = resolve(import.meta.dirname, '..')
const CACHE = join(root, 'node_modules', '.cache', 'quorate')

/** The engine in a process of its own, with the flags and the cached code that the product has. */
export async function engine(
  job: EngineJob,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<EngineCost & { readonly whole: Cost }> {
  const whole = await run({
    program: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', join(root, 'bench', 'engine.ts'), JSON.stringify(job)],
    env: { NODE_COMPILE_CACHE: CACHE, ...env },
  })
  return { ...(JSON.parse(whole.output) as EngineCost), whole }
}

/** `quorate ARGUMENTS` in a home. */
export function quorate(home: string, args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): Promise<Cost> {
  return run({ program: join(root, 'bin', 'quorate'), args, env: { QUORATE_HOME: home, ...env } })
}
