// drill: two people try whether the vault comes back, and keep a signed report.
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Failure } from '#base'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { localFailure } from '../local-failure.ts'
import { tellRemoval, watchTask } from '../task-watch.ts'
import { printable } from '../words.ts'

export interface DrillOptions {
  readonly people: readonly string[]
  readonly files: number
  /** Only this location is blocked. */
  readonly block?: string | undefined
  readonly out: string
}

const REPORT_BYTES_MAX = 2 ** 20

export async function drill(context: Context, options: DrillOptions): Promise<number> {
  const [one, two] = options.people
  if (one === undefined || two === undefined || options.people.length > 2 || one.trim().toLowerCase() === two.trim().toLowerCase())
    throw new Failure('cli.usage', {
      detail: 'A drill names the two people who stand by.',
      next: 'For example: quorate drill --by "Ada Wolf" --by "Ben Krüger"',
    })
  const { client, signal, host } = context
  const begun = await client.drill(
    { people: [one, two], files: options.files, ...(options.block === undefined ? {} : { location: options.block }) },
    { signal },
  )
  const task = await watchTask(context, begun)
  const code = await tellRemoval(context, task, { done: 'Tried' })
  if (task.state !== 'done') return code
  const { report, page, passed } = await client.lastDrill({ signal })
  const stem = `quorate-drill-${task.started.slice(0, 19).replaceAll(':', '-')}`
  for (const [name, text] of [
    [`${stem}.json`, report],
    [`${stem}.html`, page],
  ] as const) {
    const path = join(resolve(host.folder, options.out), name)
    try {
      await writeFile(path, text, { flag: 'wx' })
    } catch (error) {
      throw localFailure(error, 'write', path)
    }
    await context.out.line(`Written: ${printable(path)}`)
  }
  await context.out.line(
    passed
      ? `Passed: every file came back with ${options.block === undefined ? 'each location blocked in turn' : `${printable(options.block)} blocked`}, by the product and by recover.py, and equal.`
      : 'NOT passed. The report says what did not come back; repair, then try again.',
  )
  return passed ? EXIT.done : Math.max(code, EXIT.degraded)
}

/** Exit code 0 only for a report that is genuine, of this vault, and says that all came back. */
export async function verifyDrill(context: Context, typed: string): Promise<number> {
  const path = resolve(context.host.folder, typed)
  let report: unknown
  try {
    const bytes = await readFile(path)
    if (bytes.length > REPORT_BYTES_MAX) throw new Failure('cli.file', { detail: `${path} is too large for a report.`, culprits: [path] })
    report = JSON.parse(bytes.toString())
  } catch (error) {
    if (error instanceof SyntaxError) throw new Failure('cli.file', { detail: `${path} is no report of a drill.`, culprits: [path] })
    throw localFailure(error, 'read', path)
  }
  const verdict = await context.client.verifyDrill({ report }, { signal: context.signal })
  await context.out.value(verdict)
  await context.out.line(
    verdict.genuine ? 'Both signatures are right.' : 'The signatures are WRONG: the report was changed, or nobody signed it.',
  )
  if (verdict.genuine)
    await context.out.line(
      verdict.ours
        ? `Signed by this vault's own keys: ${verdict.dealer}`
        : `Signed by keys that this vault does not know: ${verdict.dealer}`,
    )
  if (verdict.genuine) await context.out.line(verdict.passed ? 'It says: passed.' : 'It says: NOT passed.')
  return verdict.genuine && verdict.ours && verdict.passed ? EXIT.done : verdict.genuine && verdict.ours ? EXIT.degraded : EXIT.failed
}
