// find: files and folders by a part of their name.
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { typedPath } from '../vault-paths.ts'
import { printable } from '../words.ts'

const PAGE = 200

export async function find(context: Context, text: string, typed: string): Promise<number> {
  const { path } = typedPath(typed)
  let after: string | undefined
  do {
    const page = await context.client.search(
      { path, text, limit: PAGE, ...(after === undefined ? {} : { after }) },
      { signal: context.signal },
    )
    for (const entry of page.entries) {
      // One JSON value a line, as it is found.
      if (context.out.json) await context.host.output.write(`${JSON.stringify(entry)}\n`)
      else await context.out.line(`${printable(entry.path)}${entry.kind === 'folder' ? '/' : ''}`)
    }
    after = page.next ?? undefined
  } while (after !== undefined)
  return EXIT.done
}
