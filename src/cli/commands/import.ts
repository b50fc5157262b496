// import: files that lie plainly in a folder or bucket into the vault; the source stays as it is.
import type { Context } from '../context.ts'
import { locationSpec } from '../location-specs.ts'
import { tellRemoval, watchTask } from '../task-watch.ts'
import { typedPath } from '../vault-paths.ts'
import { counted, size } from '../words.ts'

export async function importFiles(context: Context, place: string, typed: string, options: { readonly check: boolean }): Promise<number> {
  const source = locationSpec(context.host, /^[a-z0-9]+:/.test(place) ? place : `folder:${place}`).spec
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
