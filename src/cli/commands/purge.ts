// purge: what is past its time by the rules of keeping.
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { tellRemoval, watchTask } from '../task-watch.ts'
import { counted, printable, size, table } from '../words.ts'

const SHOWN = 50

export async function purge(context: Context, options: { readonly dryRun: boolean }): Promise<number> {
  if (!options.dryRun) {
    const task = await context.client.purge({ signal: context.signal })
    return tellRemoval(context, await watchTask(context, task), { done: 'Purged' })
  }
  const plan = await context.client.planPurge({ signal: context.signal })
  await context.out.value(plan)
  const rows = [
    ...plan.trash.map(({ path, bytes, expires }) => ['trash', printable(path), size(bytes), expires.slice(0, 10)]),
    ...plan.versions.map((one) => [`version ${one.number}`, printable(one.path), size(one.size), one.replaced.slice(0, 10)]),
  ]
  for (const line of table(rows.slice(0, SHOWN))) await context.out.line(line)
  const { trash, versions, held } = plan.counts
  if (trash + versions > SHOWN) await context.out.line(`and ${trash + versions - Math.min(SHOWN, rows.length)} more`)
  await context.out.line(
    `would go: ${trash === 1 ? '1 entry' : `${trash} entries`} of the trash, ${counted(versions, 'version')}, at most ${size(plan.bytes)}${held > 0 ? `; held: ${held}` : ''}`,
  )
  return EXIT.done
}
