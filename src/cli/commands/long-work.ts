// scrub, repair and recover: long work of the site, watched from here.
import { Failure } from '#base'
import { locationSpec } from '../location-specs.ts'
import type { Context } from '../context.ts'
import { tellTask, watchTask } from '../task-watch.ts'
import { typedPath } from '../vault-paths.ts'

export async function scrub(
  context: Context,
  options: { readonly depth: 'present' | 'tags'; readonly location: string | undefined },
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
      detail: 'recover needs one place for each location of the vault.',
      next: 'For those that are gone name new, empty ones; repair fills them.',
    })
  }
  const locations = typed.map((spec) => locationSpec(context.host, spec))
  const started = await context.client.recover(
    { locations, ...(passphrase === undefined ? {} : { passphrase }) },
    { signal: context.signal },
  )
  return tellTask(context, await watchTask(context, started), { done: 'Recovered' })
}
