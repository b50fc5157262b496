// restore-to: a folder as it was at a moment, told before it is done.
import type { MomentPlan } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { tellRemoval, watchTask } from '../task-watch.ts'
import { typedPath } from '../vault-paths.ts'
import { counted, printable, size, table } from '../words.ts'

const SHOWN = 50

export async function restoreTo(context: Context, typed: string, at: string, options: { readonly dryRun: boolean }): Promise<number> {
  const { path } = typedPath(typed)
  const plan = await context.client.planMoment({ path, at }, { signal: context.signal })
  await tellPlan(context, plan)
  if (options.dryRun) {
    await context.out.value(plan)
    return EXIT.done
  }
  const task = await context.client.restoreMoment({ path, at }, { signal: context.signal })
  return tellRemoval(context, await watchTask(context, task), { done: 'Restored' })
}

async function tellPlan(context: Context, plan: MomentPlan): Promise<void> {
  const rows = [
    ...plan.returns.map((one) => ['back', size(one.size), printable(one.path)]),
    ...plan.replaces.map((one) => ['as then', size(one.size), printable(one.path)]),
    ...plan.trashes.map((one) => ['to the trash', size(one.size), printable(one.path)]),
    ...plan.doubtful.map((one) => [one.why === 'gone' ? 'not kept' : 'older version', '', printable(one.path)]),
  ]
  for (const line of table(rows.slice(0, SHOWN))) await context.out.line(line)
  const { returns, replaces, trashes, unchanged, doubtful } = plan.counts
  const all = returns + replaces + trashes + doubtful
  if (all > SHOWN) await context.out.line(`and ${all - Math.min(SHOWN, rows.length)} more`)
  await context.out.line(
    `${printable(plan.path)} as of ${plan.at.slice(0, 19).replace('T', ' ')} UTC: ${counted(returns, 'file')} back, ${replaces} as then, ${trashes} to the trash, ${unchanged} unchanged${doubtful > 0 ? `, ${doubtful} doubtful` : ''}`,
  )
}
