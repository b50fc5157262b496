// trash: what was removed; bring it back, or delete it for good.
import { Failure } from '#base'
import type { TrashEntry } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { tellRemoval, watchTask } from '../task-watch.ts'
import { typedPath } from '../vault-paths.ts'
import { counted, printable, size, table } from '../words.ts'

const SHORT = 8

export async function listTrash(context: Context): Promise<number> {
  const rows: string[][] = []
  let totals = { total: 0, files: 0, bytes: 0 }
  for await (const { page, entries } of pages(context)) {
    totals = page
    for (const entry of entries) {
      await context.out.value(entry)
      const until = entry.heldUntil ?? entry.expires
      rows.push([
        entry.id.slice(0, SHORT),
        entry.at.slice(0, 16).replace('T', ' '),
        printable(entry.by),
        counted(entry.files, 'file'),
        size(entry.bytes),
        `${until.slice(0, 10)}${entry.heldUntil === null ? '' : ' held'}`,
        printable(entry.path),
      ])
    }
  }
  if (rows.length > 0)
    for (const line of table([['id', 'removed', 'by', 'files', 'size', 'kept until', 'from'], ...rows])) await context.out.line(line)
  await context.out.line(
    totals.total === 0
      ? 'The trash is empty.'
      : `${totals.total === 1 ? '1 entry' : `${totals.total} entries`}, ${counted(totals.files, 'file')}, ${size(totals.bytes)}`,
  )
  return EXIT.done
}

export async function restoreTrash(context: Context, typed: string, to: string | undefined): Promise<number> {
  const id = await entryOf(context, typed)
  const entry = await context.client.restoreTrash(
    { id, ...(to === undefined ? {} : { to: typedPath(to).path }) },
    { signal: context.signal },
  )
  await context.out.value(entry)
  await context.out.line(`restored: ${printable(entry.path)}`)
  return EXIT.done
}

export async function emptyTrash(context: Context, typed: readonly string[]): Promise<number> {
  const ids: string[] = []
  for (const one of typed) ids.push(await entryOf(context, one))
  const task = await context.client.emptyTrash(ids.length === 0 ? {} : { ids }, { signal: context.signal })
  return tellRemoval(context, await watchTask(context, task), { done: 'Emptied' })
}

/** The one entry whose id begins so. */
async function entryOf(context: Context, typed: string): Promise<string> {
  const found: string[] = []
  if (/^[0-9a-f]{4,32}$/.test(typed))
    for await (const { entries } of pages(context)) found.push(...entries.filter(({ id }) => id.startsWith(typed)).map(({ id }) => id))
  if (found.length === 1) return found[0]!
  throw new Failure(found.length === 0 ? 'storage.absent' : 'cli.usage', {
    detail: found.length === 0 ? `The trash has no entry ${JSON.stringify(typed)}.` : `${found.length} entries begin with ${typed}.`,
    next: 'Take the id from: quorate trash list',
  })
}

async function* pages(
  context: Context,
): AsyncGenerator<{ readonly entries: readonly TrashEntry[]; readonly page: { total: number; files: number; bytes: number } }> {
  for (let after: string | undefined; ;) {
    const page = await context.client.trash(after === undefined ? {} : { after }, { signal: context.signal })
    yield { entries: page.entries, page }
    if (page.next === null) return
    after = page.next
  }
}
