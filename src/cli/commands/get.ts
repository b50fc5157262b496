// get: files and folders of the vault to this machine.
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Failure } from '#base'
import type { Entry } from '#contract'
import { EXIT, exitCodeOf, isUnreadable } from '../exit-codes.ts'
import { isHopeless } from '../local-failure.ts'
import { createFolders, localName, openLocalTarget } from '../local-target.ts'
import { inParallel } from '../parallel.ts'
import type { Context } from '../context.ts'
import { typedPath } from '../vault-paths.ts'
import { counted, printable, size } from '../words.ts'
import { cat } from './cat.ts'
import { entriesBelow } from './ls.ts'

export interface GetOptions {
  readonly force: boolean
  readonly version: number | undefined
  readonly parallel: number
}

/** From this size on, a download goes on after a broken link, or when the same command is run again. */
const RESUMED_BYTES_MIN = 64 * 2 ** 20

interface Tally {
  done: number
  bytes: number
  exit: number
  failed: number
}

export async function get(context: Context, from: string, to: string, options: GetOptions): Promise<number> {
  if (to === '-') return cat(context, from, { version: options.version, range: undefined })
  const { path } = typedPath(from)
  const entry = await context.client.stat({ path }, { signal: context.signal })
  const into = to.endsWith('/') || (await isFolder(resolve(context.host.folder, to)))
  const base = resolve(context.host.folder, to)
  const target = into && entry.name !== '' ? join(base, localName(entry.name)) : base
  if (entry.kind === 'folder') {
    if (options.version !== undefined) throw new Failure('cli.usage', { detail: `${path} is a folder; only files have versions.` })
    return getFolder(context, path, target, options)
  }
  if (to.endsWith('/')) await createFolders(base)([])
  await getOne(context, entry, target, options)
  await context.out.line(`${printable(path)}  ${size(entry.size)}  -> ${target}`)
  return EXIT.done
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}

async function getOne(context: Context, entry: Entry, target: string, options: GetOptions): Promise<void> {
  const meter = context.out.meter()
  meter.expect({ files: 1, bytes: entry.size })
  meter.counted()
  try {
    await getFile(context, entry, target, options)
  } finally {
    await meter.close()
  }
}

async function getFolder(context: Context, path: string, base: string, options: GetOptions): Promise<number> {
  const started = performance.now()
  const meter = context.out.meter()
  const folders = createFolders(base)
  const tally: Tally = { done: 0, bytes: 0, failed: 0, exit: EXIT.done }
  await folders([])
  try {
    await inParallel(entriesBelow(context, path, { recursive: true }), options.parallel, (entry) =>
      getBelow(context, entry, { path, folders, tally, options }),
    )
  } finally {
    await meter.close()
    const seconds = (performance.now() - started) / 1000
    const failed = tally.failed > 0 ? `; ${tally.failed} failed` : ''
    await context.out.line(`${counted(tally.done, 'file')} written to ${base}, ${size(tally.bytes)} in ${seconds.toFixed(1)} s${failed}`)
  }
  return tally.exit
}

async function getBelow(
  context: Context,
  entry: Entry,
  run: {
    readonly path: string
    readonly folders: (segments: readonly string[]) => Promise<string>
    readonly tally: Tally
    readonly options: GetOptions
  },
): Promise<void> {
  const { tally } = run
  try {
    const segments = entry.path.slice(run.path === '/' ? 1 : run.path.length + 1).split('/')
    if (entry.kind === 'folder') {
      await run.folders(segments)
      return
    }
    const folder = await run.folders(segments.slice(0, -1))
    await getFile(context, entry, join(folder, localName(segments.at(-1) ?? '')), run.options)
    tally.done += 1
    tally.bytes += entry.size
  } catch (error) {
    if (context.signal.aborted || concernsAll(error)) throw error
    tally.failed += 1
    tally.exit = Math.max(tally.exit, exitCodeOf(error))
    await context.out.problem(error, { path: entry.path })
  }
}

async function getFile(context: Context, entry: Entry, target: string, options: GetOptions): Promise<void> {
  const meter = context.out.meter()
  meter.file(entry.path)
  if (entry.size >= RESUMED_BYTES_MIN && (options.version === undefined || options.version === entry.version)) {
    const { getResumably } = await import('../get-resumably.ts')
    await getResumably(context, entry, { target, replace: options.force })
    meter.fileDone()
    await context.out.value({ path: entry.path, version: entry.version, file: target, size: entry.size })
    return
  }
  const file = await openLocalTarget(target, { replace: options.force })
  try {
    const version = options.version ?? entry.version
    const download = await context.client.download({ path: entry.path, version }, { signal: context.signal })
    let written = 0
    for await (const part of download.body) {
      await file.write(part)
      written += part.length
      meter.bytes(part.length)
    }
    await file.finish(new Date(options.version === undefined ? entry.modified : download.modified))
    meter.fileDone()
    await context.out.value({ path: entry.path, version, file: target, size: written })
  } catch (error) {
    await file.abort()
    throw error
  }
}

function concernsAll(error: unknown): boolean {
  if (!(error instanceof Failure)) return true
  return isHopeless(error) || !(isUnreadable(error) || error.code === 'cli.file' || error.code === 'storage.absent')
}
