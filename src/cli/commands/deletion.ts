// deletion: what was deleted for good, what each location answered, the signed record of it.
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Failure } from '#base'
import type { Deletion } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { printable, table } from '../words.ts'

const SHORT = 8

export async function listDeletions(context: Context): Promise<number> {
  const rows: string[][] = []
  let open = 0
  for await (const one of all(context)) {
    await context.out.value(one)
    if (one.closed === null) open += 1
    rows.push([
      one.id.slice(0, SHORT),
      one.at.slice(0, 16).replace('T', ' '),
      printable(one.by),
      one.reason,
      one.closed === null ? `awaits ${one.awaited.map(({ location }) => printable(location)).join(', ') || 'its turn'}` : 'done',
      printable(one.path),
    ])
  }
  if (rows.length === 0) await context.out.line('Nothing was deleted yet.')
  else for (const line of table([['id', 'deleted', 'by', 'why', 'state', 'path'], ...rows])) await context.out.line(line)
  return open > 0 ? EXIT.degraded : EXIT.done
}

export async function saveRecord(context: Context, typed: string, file: string | undefined): Promise<number> {
  const found: string[] = []
  if (/^[0-9a-f]{4,32}$/.test(typed)) for await (const { id } of all(context)) if (id.startsWith(typed)) found.push(id)
  if (found.length !== 1)
    throw new Failure(found.length === 0 ? 'storage.absent' : 'cli.usage', {
      detail: found.length === 0 ? `There is no deletion ${JSON.stringify(typed)}.` : `${found.length} deletions begin with ${typed}.`,
      next: 'Take the id from: quorate deletion list',
    })
  const record = await context.client.deletionRecord(found[0]!, { signal: context.signal })
  if (file === undefined) {
    await context.host.output.write(record)
    return EXIT.done
  }
  const target = resolve(context.host.folder, file)
  try {
    await writeFile(target, record, { flag: 'wx' })
  } catch (error) {
    throw new Failure('cli.file', { detail: `${target} could not be written`, cause: error, next: 'Name a file that is not there yet.' })
  }
  await context.out.value({ id: found[0], file: target })
  await context.out.line(`record written to ${target}; verify it with: quorate deletion verify ${file}`)
  return EXIT.done
}

async function* all(context: Context): AsyncGenerator<Deletion> {
  for (let after: string | undefined; ;) {
    const page = await context.client.deletions(after === undefined ? {} : { after }, { signal: context.signal })
    yield* page.deletions
    if (page.next === null) return
    after = page.next
  }
}
