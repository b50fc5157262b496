// mv and cp: within the vault, without moving a byte.
import { Failure, isFailure } from '#base'
import type { Entry } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { below, nameOf, typedPath } from '../vault-paths.ts'
import { printable } from '../words.ts'

export async function relocate(
  context: Context,
  kind: 'move' | 'copy',
  names: readonly string[],
  options: { readonly force: boolean },
): Promise<number> {
  const [destination, sources] = [names.at(-1), names.slice(0, -1)]
  if (destination === undefined || sources.length === 0)
    throw new Failure('cli.usage', { detail: 'A source and a destination are needed.' })
  const to = typedPath(destination)
  const into = to.path === '/' || (await isFolder(context, to.path))
  if (to.isFolder && !into)
    throw new Failure('storage.absent', { detail: `There is no folder ${to.path}.`, next: 'Leave the slash away to give this name.' })
  if (sources.length > 1 && !into) throw new Failure('cli.usage', { detail: `${to.path} is no folder, and there are several sources.` })
  for (const source of sources) {
    const from = typedPath(source).path
    const request = { from, to: into ? below(to.path, nameOf(from)) : to.path, replace: options.force }
    const entry: Entry = await context.client[kind](request, { signal: context.signal })
    await context.out.value(entry)
    await context.out.line(`${printable(from)} -> ${printable(entry.path)}`)
  }
  return EXIT.done
}

async function isFolder(context: Context, path: string): Promise<boolean> {
  try {
    return (await context.client.stat({ path }, { signal: context.signal })).kind === 'folder'
  } catch (error) {
    if (isFailure(error, 'storage.absent')) return false
    throw error
  }
}
