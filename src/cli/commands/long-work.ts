// scrub, repair and recover: long work of the site, watched from here.
import { Failure } from '#base'
import type { ScrubDepth } from '#contract'
import { locationSpec } from '../location-specs.ts'
import type { Context } from '../context.ts'
import { tellTask, watchTask } from '../task-watch.ts'
import { typedPath } from '../vault-paths.ts'

export async function scrub(
  context: Context,
  options: { readonly depth: ScrubDepth; readonly location: string | undefined },
): Promise<number> {
  const { depth, location } = options
  const started = await context.client.scrub({ depth, ...(location === undefined ? {} : { location }) }, { signal: context.signal })
  return tellTask(context, await watchTask(context, started), { done: 'Scrubbed' })
}

export async function repair(context: Context, typed: string | undefined): Promise<number> {
  const path = typed === undefined ? undefined : typedPath(typed).path
  const started = await context.client.repair(path === undefined ? {} : { path }, { signal: context.signal })
  return tellTask(context, await watchTask(context, started), { done: 'Repaired' })
}

export async function recover(context: Context, typed: readonly string[], passphrase: string | undefined): Promise<number> {
  if (typed.length < 2) {
    throw new Failure('cli.usage', {
      detail: 'recover needs at least k places of the vault.',
      next: 'The vault itself tells where the others are; for those that are gone name new, empty ones, and then one for each.',
    })
  }
  // Without labels of ours the places get those that the vault knows.
  const locations = typed.map((one) => ({ spec: locationSpec(context.host, one).spec }))
  const started = await context.client.recover(
    { locations, ...(passphrase === undefined ? {} : { passphrase }) },
    { signal: context.signal },
  )
  return tellTask(context, await watchTask(context, started), { done: 'Recovered' })
}
