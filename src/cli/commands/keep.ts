// keep: the rules of keeping, folder by folder.
import { Failure } from '#base'
import type { KeepingView } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { typedPath } from '../vault-paths.ts'
import { counted, printable, table } from '../words.ts'

/** A hundred years, the most that a rule may say. */
const FOR_EVER_DAYS = 36_500

export interface KeepOptions {
  readonly versionsDays: number | undefined
  readonly versionsMin: number | undefined
  readonly trashDays: number | undefined
  readonly hold: string | undefined
  readonly release: boolean
  readonly inherit: boolean
}

export async function keep(context: Context, typed: string, options: KeepOptions): Promise<number> {
  const { path } = typedPath(typed)
  const { versionsDays, versionsMin, trashDays, hold, release, inherit } = options
  if (hold !== undefined && release) throw new Failure('cli.usage', { detail: 'A hold is either set or released.' })
  const asked = [versionsDays, versionsMin, trashDays, hold].some((value) => value !== undefined)
  if (inherit && asked) throw new Failure('cli.usage', { detail: '--inherit takes the rule away, so it takes no other.' })
  const standing = await context.client.keeping({ path }, { signal: context.signal })
  if (!asked && !release && !inherit) return tell(context, standing)
  const own = standing.own ?? { versionsDays: null, versionsMin: null, trashDays: null, holdUntil: null }
  const rule = inherit
    ? { versionsDays: null, versionsMin: null, trashDays: null, holdUntil: own.holdUntil }
    : {
        versionsDays: versionsDays ?? own.versionsDays,
        versionsMin: versionsMin ?? own.versionsMin,
        trashDays: trashDays ?? own.trashDays,
        holdUntil: release ? null : (hold ?? own.holdUntil),
      }
  return tell(context, await context.client.setKeeping({ path, ...rule, release }, { signal: context.signal }))
}

export async function listRules(context: Context): Promise<number> {
  const { rules } = await context.client.keepingRules({ signal: context.signal })
  await context.out.value({ rules })
  const rows = rules.map(({ path, own }) => [
    printable(path),
    own?.versionsDays?.toString() ?? '-',
    own?.versionsMin?.toString() ?? '-',
    own?.trashDays?.toString() ?? '-',
    own?.holdUntil?.slice(0, 10) ?? '-',
  ])
  if (rows.length === 0) await context.out.line('No folder has a rule of its own; quorate keep / says what holds.')
  else
    for (const line of table([['folder', 'versions days', 'versions min', 'trash days', 'hold until'], ...rows]))
      await context.out.line(line)
  return EXIT.done
}

async function tell(context: Context, view: KeepingView): Promise<number> {
  await context.out.value(view)
  const { versionsDays, versionsMin, trashDays, holdUntil } = view.effective
  await context.out.line(
    `${printable(view.path)}: ${versionsDays >= FOR_EVER_DAYS ? 'versions stay for ever' : `versions stay for ${counted(versionsDays, 'day')} after they were replaced, the newest ${versionsMin} for ever`}; the trash stays for ${counted(trashDays, 'day')}`,
  )
  if (holdUntil !== null) await context.out.line(`held: nothing may be removed before ${holdUntil.slice(0, 10)}`)
  if (view.own === null) await context.out.line('inherited from above')
  return EXIT.done
}
