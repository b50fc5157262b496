// grant: who may open what.
import { Failure } from '#base'
import type { GrantList, Right } from '#contract'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { typedPath } from '../vault-paths.ts'
import { printable, table } from '../words.ts'

export interface GrantOptions {
  /** Names or ids of people and groups. */
  readonly to: string
  /** Null takes it back. */
  readonly right: Right | null
  readonly until: string | undefined
}

export async function listGrants(context: Context, typed: string): Promise<number> {
  const { path } = typedPath(typed)
  return tell(context, await context.client.grants({ path }, { signal: context.signal }))
}

export async function grant(context: Context, typed: string, { to, right, until }: GrantOptions): Promise<number> {
  const { path } = typedPath(typed)
  const found = await context.client.candidates({ path, text: /^[0-9a-f]{32}$/.test(to) ? '' : to }, { signal: context.signal })
  const { grants } = await context.client.grants({ path }, { signal: context.signal })
  // Whoever was given something can lose it though they left.
  const known = [
    ...found.candidates,
    ...(right === null ? grants.filter((one) => one.path === path).map((one) => ({ to: one.to, name: one.name ?? one.to.id })) : []),
  ]
  const same = known.filter((one) => one.to.id === to || one.name.toLowerCase() === to.toLowerCase())
  const ids = new Map((same.length > 0 ? same : known).map((one) => [one.to.id, one] as const))
  const [only] = [...ids.values()]
  if (only === undefined)
    throw new Failure('cli.usage', { detail: `The site knows nobody called ${to}.`, next: 'Look with quorate people list.' })
  if (ids.size > 1)
    throw new Failure('cli.usage', {
      detail: `${to} may be any of: ${[...ids.values()].map((one) => `${one.name} (${one.to.id})`).join(', ')}.`,
      next: 'Say the whole name, or the id.',
    })
  return tell(context, await context.client.setGrant({ path, to: only.to, right, until: until ?? null }, { signal: context.signal }))
}

async function tell(context: Context, list: GrantList): Promise<number> {
  await context.out.value(list)
  if (list.grants.length === 0) await context.out.line('Nobody was given this: only data stewards and the person at the machine open it.')
  else {
    const rows = list.grants.map(({ name, to, right, until, path }) => [
      printable(name ?? to.id),
      to.kind,
      right,
      until?.slice(0, 10) ?? '-',
      printable(path),
    ])
    for (const line of table([['who', 'kind', 'right', 'until', 'given for'], ...rows])) await context.out.line(line)
  }
  return EXIT.done
}
