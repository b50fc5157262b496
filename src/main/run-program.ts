// One command line of this process, and how the process ends.
import { run } from '../cli/cli.ts'
import { readEnvironment } from './environment.ts'
import { processHost } from './process-host.ts'

export async function runProgram(argv: readonly string[], options: { readonly build: boolean }): Promise<never> {
  const host = processHost(readEnvironment(), options)
  const code = await run(argv, host)
  process.exit(host.interrupted() ?? code)
}
