// versions: every version of a file that is kept.
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { typedPath } from '../vault-paths.ts'
import { size, table } from '../words.ts'

export async function versions(context: Context, typed: string): Promise<number> {
  const answer = await context.client.versions({ path: typedPath(typed).path }, { signal: context.signal })
  await context.out.value(answer)
  const rows = answer.versions.map((version) => [
    `${version.number}${version.current ? ' *' : ''}`,
    size(version.size),
    version.redundancy,
    version.created.slice(0, 19).replace('T', ' '),
    version.type,
  ])
  for (const line of table([['version', 'size', 'redundancy', 'stored', 'type'], ...rows])) await context.out.line(line)
  return EXIT.done
}
