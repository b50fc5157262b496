// One command line of this process, and how the process ends.
import { run } from '../cli/cli.ts'
import { readEnvironment } from './environment.ts'
import { processHost } from './process-host.ts'

export async function runProgram(argv: readonly string[], options: { readonly build: boolean }): Promise<never> {
  const host = processHost(readEnvironment(), options)
  const code = await run(argv, host)
  // What was done in spite of a signal, such as the orderly stop of a site, is done.
  process.exit(code === 0 ? 0 : (host.interrupted() ?? code))
}
