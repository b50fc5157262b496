// import: files that lie plainly in a folder or bucket into the vault; the source stays as it is.
import type { Context } from '../context.ts'
import { locationSpec } from '../location-specs.ts'
import { tellRemoval, watchTask } from '../task-watch.ts'
import { typedPath } from '../vault-paths.ts'
import { EXIT } from '../exit-codes.ts'
import { counted, printable, size } from '../words.ts'

export async function importFiles(
  context: Context,
  place: string,
  typed: string,
  options: { readonly check: boolean; readonly preview: boolean },
): Promise<number> {
  const source = locationSpec(context.host, /^[a-z0-9]+:/.test(place) ? place : `folder:${place}`).spec
  if (options.preview) return preview(context, { source, path: typedPath(typed).path })
  const started = await context.client.importFiles(
    { source, path: typedPath(typed).path, check: options.check },
    { signal: context.signal },
  )
  const task = await watchTask(context, started)
  if (task.report !== null && !context.out.json) {
    const { checkedFragments, checkedBytes, repairedFragments } = task.report
    await context.out.line(
      `${counted(repairedFragments, 'file')} stored, ${checkedFragments - repairedFragments} there already or passed over; ${size(checkedBytes)} read. The source is as it was.`,
    )
  }
  return tellRemoval(context, task, { done: 'Imported' })
}

async function preview(context: Context, request: { readonly source: string; readonly path: string }): Promise<number> {
  const { out, client, signal } = context
  const seen = await client.previewImport(request, { signal })
  await out.value(seen)
  const { files, bytes, skipped, moreSkipped, complete } = seen
  await out.line(`${complete ? '' : 'At least '}${counted(files, 'file')}, ${size(bytes)}, at ${printable(seen.source)}`)
  for (const { name, why } of skipped) await out.line(`  passed over: ${printable(name)}: ${why}`)
  if (moreSkipped > 0) await out.line(`  and ${moreSkipped} more`)
  return EXIT.done
}
