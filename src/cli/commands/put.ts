// put: files and folders of this machine into the vault.
import { lstat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Failure, isFailure } from '#base'
import type { Entry, Stored } from '#contract'
import { EXIT } from '../exit-codes.ts'
import { isHopeless } from '../local-failure.ts'
import { openLocalSource } from '../local-source.ts'
import { meansContents, sourceName, walkTree, type TreeItem } from '../local-tree.ts'
import { inParallel } from '../parallel.ts'
import type { Context } from '../context.ts'
import { below, typedPath } from '../vault-paths.ts'
import { counted, printable, size } from '../words.ts'

export interface PutOptions {
  readonly ifAbsent: boolean
  readonly parallel: number
  /** Also files that are sent in moments are uploads that go on after an interruption. */
  readonly resume: boolean
}

interface Source {
  readonly local: string
  readonly target: string
}

interface Tally {
  stored: number
  bytes: number
  failed: number
  skipped: number
}

export async function put(context: Context, names: readonly string[], options: PutOptions): Promise<number> {
  const [destination, sources] = [names.at(-1), names.slice(0, -1)]
  if (destination === undefined || sources.length === 0) {
    throw new Failure('cli.usage', {
      detail: 'put needs a source and a path in the vault.',
      next: 'For example: quorate put scan.dcm /mri/',
    })
  }
  const into = await findFolder(context, destination)
  if (sources.includes('-')) return putInput(context, { sources, destination, into, options })
  const path = typedPath(destination).path
  if (sources.length > 1 && into === undefined) {
    throw new Failure('cli.usage', {
      detail: `${path} is no folder, and there are several sources.`,
      next: `End it with a slash to make one: ${path}/`,
    })
  }
  const pairs = sources.map((name): Source => {
    const target =
      into === undefined ? path : meansContents(name) ? into : below(into, sourceName(name, context.host.folder).normalize('NFC'))
    return { local: name, target }
  })
  return putTrees(context, pairs, options)
}

/** The folder that the destination names, or undefined when it names a file or nothing yet. */
async function findFolder(context: Context, destination: string): Promise<string | undefined> {
  const { path, isFolder } = typedPath(destination)
  if (isFolder || path === '/') return path
  let found: Entry
  try {
    found = await context.client.stat({ path }, { signal: context.signal })
  } catch (error) {
    if (isFailure(error, 'storage.absent')) return undefined
    throw error
  }
  return found.kind === 'folder' ? path : undefined
}

async function putInput(
  context: Context,
  request: {
    readonly sources: readonly string[]
    readonly destination: string
    readonly into: string | undefined
    readonly options: PutOptions
  },
): Promise<number> {
  if (request.sources.length > 1) throw new Failure('cli.usage', { detail: 'Standard input (-) must be the only source.' })
  if (request.into !== undefined) {
    throw new Failure('cli.usage', {
      detail: 'Standard input has no name; the destination must be a file.',
      next: `For example: ${below(request.into, 'data')}`,
    })
  }
  const { path } = typedPath(request.destination)
  const meter = context.out.meter()
  async function* body(): AsyncIterable<Uint8Array> {
    for await (const part of context.host.input) {
      meter.bytes(part.length)
      yield part
    }
  }
  const stored = await context.client.upload({ path, body: body(), ifAbsent: request.options.ifAbsent }, { signal: context.signal })
  await meter.close()
  await tell(context, stored)
  return EXIT.done
}

async function putTrees(context: Context, sources: readonly Source[], options: PutOptions): Promise<number> {
  const started = performance.now()
  const meter = context.out.meter()
  const tally: Tally = { stored: 0, bytes: 0, failed: 0, skipped: 0 }
  const counting = new AbortController()
  const counter = countAhead(context, sources, counting.signal).catch(() => {})
  const single = sources.length === 1 && (await isFile(context, sources[0]!.local))
  try {
    await inParallel(items(context, sources), options.parallel, (item) => putItem(context, item, { tally, options, single }))
  } finally {
    counting.abort()
    await counter
    await meter.close()
    if (!single) await context.out.line(summary(tally, (performance.now() - started) / 1000))
  }
  return tally.failed > 0 ? EXIT.failed : EXIT.done
}

async function isFile(context: Context, local: string): Promise<boolean> {
  const status = await lstat(resolve(context.host.folder, local)).catch(() => undefined)
  return status?.isFile() === true
}

async function* items(context: Context, sources: readonly Source[]): AsyncIterable<TreeItem> {
  for (const { local, target } of sources) {
    for await (const item of walkTree(resolve(context.host.folder, local), target)) {
      if (context.signal.aborted) throw new Failure('base.cancelled')
      // What was asked for by name and cannot be had is a failure; what is met on the way is a remark.
      if (item.kind === 'skipped' && item.local === resolve(context.host.folder, local)) {
        yield {
          kind: 'failed',
          local,
          error: new Failure('cli.file', { detail: `${local} is not stored: ${item.why}.`, culprits: [local] }),
        }
      } else yield item
    }
  }
}

/** The sums for the remaining time, gathered while the first files are on their way. */
async function countAhead(context: Context, sources: readonly Source[], stop: AbortSignal): Promise<void> {
  const meter = context.out.meter()
  if (!meter.shown) return
  for (const { local, target } of sources) {
    for await (const item of walkTree(resolve(context.host.folder, local), target)) {
      if (stop.aborted) return
      if (item.kind === 'file') meter.expect({ files: 1, bytes: (await lstat(item.local)).size })
    }
  }
  meter.counted()
}

async function putItem(
  context: Context,
  item: TreeItem,
  run: { readonly tally: Tally; readonly options: PutOptions; readonly single: boolean },
): Promise<void> {
  const { tally } = run
  try {
    if (item.kind === 'failed') throw item.error
    if (item.kind === 'skipped') {
      tally.skipped += 1
      await context.out.note(`Skipped ${printable(item.local)}: ${item.why}.`, { kind: 'skipped', source: item.local, why: item.why })
    } else if (item.kind === 'empty-folder') await context.client.createFolder({ path: item.target }, { signal: context.signal })
    else {
      const stored = await putFile(context, item, run.options)
      tally.stored += 1
      tally.bytes += stored.entry.size
      if (run.single || stored.acknowledged < stored.count) await tell(context, stored)
      else await context.out.value(stored)
    }
  } catch (error) {
    if (context.signal.aborted || concernsAll(error)) throw error
    tally.failed += 1
    await context.out.problem(error, { source: item.local })
  }
}

async function putFile(context: Context, item: { readonly local: string; readonly target: string }, options: PutOptions): Promise<Stored> {
  const meter = context.out.meter()
  const source = await openLocalSource(item.local)
  async function* body(): AsyncIterable<Uint8Array> {
    for await (const part of source.read()) {
      yield part
      meter.bytes(part.length)
    }
  }
  try {
    meter.file(item.target)
    const { modified, sizeBytes: size } = source
    if (options.resume || size >= RESUMED_BYTES_MIN) {
      const { putResumably } = await import('../put-resumably.ts')
      return await putResumably(context, source, { ...item, ifAbsent: options.ifAbsent })
    }
    return await context.client.upload(
      { path: item.target, body: body(), size, modified, ifAbsent: options.ifAbsent },
      { signal: context.signal },
    )
  } finally {
    meter.fileDone()
    await source.close()
  }
}

/** From this size on, an upload goes on after a broken link, a crash, or on another day. */
const RESUMED_BYTES_MIN = 64 * 2 ** 20

const ONE_FILE = new Set(['cli.file', 'storage.source-changed', 'storage.path', 'storage.exists', 'storage.size-differs', 'api.body'])

/** Whether the next file would fail as well. */
function concernsAll(error: unknown): boolean {
  return !(error instanceof Failure && ONE_FILE.has(error.code)) || isHopeless(error)
}

async function tell(context: Context, stored: Stored): Promise<void> {
  await context.out.value(stored)
  await context.out.line(`${printable(stored.entry.path)}  ${size(stored.entry.size)}  version ${stored.entry.version}: ${stored.note}`)
}

function summary(tally: Tally, seconds: number): string {
  const rate = seconds > 0 && tally.bytes > 0 ? `, ${size(tally.bytes / seconds)}/s` : ''
  const failed = tally.failed > 0 ? `; ${tally.failed} failed` : ''
  const skipped = tally.skipped > 0 ? `; ${tally.skipped} skipped` : ''
  return `${counted(tally.stored, 'file')} stored, ${size(tally.bytes)} in ${seconds.toFixed(1)} s${rate}${failed}${skipped}`
}
