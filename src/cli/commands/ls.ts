// ls: what is in a folder of the vault.
import type { Entry } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { typedPath } from '../vault-paths.ts'
import { printable, size, table } from '../words.ts'

export interface LsOptions {
  readonly long: boolean
  readonly recursive: boolean
}

const PAGE = 1000

export async function ls(context: Context, typed: string, options: LsOptions): Promise<number> {
  const { path } = typedPath(typed)
  const entry = await context.client.stat({ path }, { signal: context.signal })
  const entries = entry.kind === 'file' ? only(entry) : entriesBelow(context, path, options)
  if (context.out.json) await tellJson(context, path, entries)
  else await tellPeople(context, path, entries, options)
  return EXIT.done
}

/** Everything in a folder, page by page. */
export async function* entriesBelow(
  context: Context,
  path: string,
  options: { readonly recursive: boolean },
): AsyncIterableIterator<Entry> {
  let after: string | undefined
  do {
    const page = await context.client.list(
      { path, recursive: options.recursive, limit: PAGE, ...(after === undefined ? {} : { after }) },
      { signal: context.signal },
    )
    yield* page.entries
    after = page.next ?? undefined
  } while (after !== undefined)
}

async function* only(entry: Entry): AsyncIterableIterator<Entry> {
  yield entry
}

/** One listing of the contract, written as it comes: a folder of any size in little memory. */
async function tellJson(context: Context, path: string, entries: AsyncIterable<Entry>): Promise<void> {
  const { output } = context.host
  await output.write(`{"path":${JSON.stringify(path)},"entries":[`)
  let separator = ''
  for await (const entry of entries) {
    await output.write(separator + JSON.stringify(entry))
    separator = ','
  }
  await output.write('],"next":null}\n')
}

async function tellPeople(context: Context, path: string, entries: AsyncIterable<Entry>, options: LsOptions): Promise<void> {
  const prefix = path === '/' ? 1 : path.length + 1
  const named = (entry: Entry): string => {
    const name = options.recursive && entry.path.length > prefix ? entry.path.slice(prefix) : entry.name
    return printable(name) + (entry.kind === 'folder' ? '/' : '')
  }
  let rows: string[][] = []
  const flush = async (): Promise<void> => {
    for (const line of table(rows)) await context.out.line(line)
    rows = []
  }
  for await (const entry of entries) {
    if (!options.long) await context.out.line(named(entry))
    else rows.push(columns(entry, named(entry)))
    if (rows.length >= PAGE) await flush()
  }
  await flush()
}

function columns(entry: Entry, name: string): string[] {
  if (entry.kind === 'folder') return ['', '', entry.modified.slice(0, 19).replace('T', ' '), '', name]
  return [size(entry.size), entry.redundancy, entry.modified.slice(0, 19).replace('T', ' '), `v${entry.version}`, name]
}
