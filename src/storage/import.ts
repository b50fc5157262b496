// Adopting files that lie plainly somewhere into the vault: what is there already is passed over, so that it goes on after any interruption.
import { type Clock, equalPublic, Failure, isFailure } from '#base'
import type { Entry, ImportPreview, Stored } from '#contract'
import { sha256Stream } from '#crypto/primitives'
import { Findings, type Progress } from './findings.ts'
import type { PlainFile, PlainSource } from './import-source.ts'
import { userPath } from './paths.ts'

/** What the importer needs of a site's files. */
export interface ImportInto {
  stat(request: { readonly path: string }): Promise<Entry>
  createFolder(request: { readonly path: string }): Promise<Entry>
  openToWrite(request: {
    readonly path: string
    readonly modified?: string | undefined
    readonly sizeBytes?: number | undefined
    readonly ifAbsent: boolean
  }): Promise<{ store(body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Stored> }>
  openToRead(request: { readonly path: string }): Promise<{
    readonly sizeBytes: number
    read(range: { readonly first: number; readonly last: number }, signal?: AbortSignal): AsyncIterable<Uint8Array>
    close(): Promise<void>
  }>
}

/** Looking before an import ends after so much; an import itself has no such bounds. */
const LOOKED_MAX = 200_000
const LOOKED_MS = 10_000
const SKIPPED_SHOWN = 20

interface ImportRequest {
  readonly source: PlainSource
  /** The folder of the vault that takes it. */
  readonly path: string
  /** Files of equal size and time are read and compared instead of passed over. */
  readonly check: boolean
  readonly signal: AbortSignal
  readonly progress: Progress
}

const FILES_AT_ONCE = 4
/** Of one file; whatever else fails would fail for the next one, too. */
const ONE_FILE: ReadonlySet<string> = new Set([
  'storage.path',
  'storage.exists',
  'storage.source-changed',
  'storage.size-differs',
  'location.absent',
  'location.truncated',
  'base.invalid',
])

/** In the report: files looked at, bytes read, files stored. The source is only read. */
export async function importFiles(into: ImportInto, request: ImportRequest): Promise<Findings> {
  const { source, signal, progress } = request
  const findings = new Findings()
  let total = 0
  for await (const item of source.items(signal)) if (item.kind === 'file') total += 1
  progress.total(total)
  const queue = source.items(signal)[Symbol.asyncIterator]()
  const work = async (): Promise<void> => {
    for (;;) {
      const next = await take(queue)
      if (next === undefined) return
      if (signal.aborted) throw new Failure('base.cancelled')
      if (next.kind === 'skipped')
        findings.add({ location: source.label, path: next.name, fragment: '', kind: 'skipped', detail: next.why })
      else if (next.kind === 'empty-folder')
        await one(next.name, findings, source, () => into.createFolder({ path: target(request, next.name) }))
      else {
        await one(next.name, findings, source, () => importFile(into, next, request, findings))
        findings.checkedFragments += 1
        progress.add(1)
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, work))
  const failed = ended.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return findings
}

/** Counts what an import would meet. Reads no file. */
export async function previewImport(source: PlainSource, clock: Clock): Promise<ImportPreview> {
  const until = clock.now() + LOOKED_MS
  const late = new AbortController()
  const skipped: ImportPreview['skipped'] = []
  let [files, bytes, passed, looked, complete] = [0, 0, 0, 0, true]
  const timer = new AbortController()
  const wait = clock.sleep(LOOKED_MS, timer.signal).then(
    () => late.abort(),
    () => undefined,
  )
  try {
    for await (const item of source.items(late.signal)) {
      if (item.kind === 'file') {
        files += 1
        bytes += item.sizeBytes
      } else if (item.kind === 'skipped') {
        passed += 1
        if (skipped.length < SKIPPED_SHOWN) skipped.push({ name: item.name, why: item.why })
      }
      if (++looked < LOOKED_MAX && clock.now() < until) continue
      complete = false
      break
    }
  } catch (error) {
    if (!late.signal.aborted) throw error
    complete = false
  } finally {
    timer.abort()
    await wait
  }
  return { source: source.label, files, bytes, skipped, moreSkipped: passed - skipped.length, complete }
}

/** The iterator is asked by several; a generator puts them in a row. */
async function take<T>(queue: AsyncIterator<T>): Promise<T | undefined> {
  const { done, value } = await queue.next()
  return done === true ? undefined : value
}

async function one(name: string, findings: Findings, source: PlainSource, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Failure) || !ONE_FILE.has(error.code)) throw error
    findings.add({ location: source.label, path: name, fragment: '', kind: 'unreadable', detail: error.message })
  }
}

async function importFile(into: ImportInto, file: PlainFile, request: ImportRequest, findings: Findings): Promise<void> {
  const path = target(request, file.name)
  const standing = await into.stat({ path }).catch((error: unknown) => {
    if (isFailure(error, 'storage.absent')) return undefined
    throw error
  })
  if (standing?.kind === 'folder') throw new Failure('storage.exists', { detail: `${path} is a folder in the vault` })
  const same = standing !== undefined && standing.size === file.sizeBytes && Date.parse(standing.modified) === Date.parse(file.modified)
  if (same && !request.check) return
  if (same) {
    findings.checkedBytes += file.sizeBytes
    if (await equalBytes(into, path, file, request.signal)) return
    findings.add({
      location: request.source.label,
      path: file.name,
      fragment: '',
      kind: 'differs',
      detail: 'size and time are those of the vault, the bytes are not; it was stored as a new version',
    })
  }
  const grant = await into.openToWrite({ path, modified: file.modified, sizeBytes: file.sizeBytes, ifAbsent: false })
  await grant.store(file.read(request.signal), request.signal)
  findings.checkedBytes += file.sizeBytes
  findings.repairedFragments += 1
}

/** Compares by hashes that never leave this function (rule R1). */
async function equalBytes(into: ImportInto, path: string, file: PlainFile, signal: AbortSignal): Promise<boolean> {
  const theirs = sha256Stream()
  for await (const piece of file.read(signal)) theirs.update(piece)
  const grant = await into.openToRead({ path })
  try {
    const ours = sha256Stream()
    if (grant.sizeBytes > 0) for await (const piece of grant.read({ first: 0, last: grant.sizeBytes - 1 }, signal)) ours.update(piece)
    return grant.sizeBytes === file.sizeBytes && equalPublic(ours.digest(), theirs.digest())
  } finally {
    await grant.close()
  }
}

function target({ path }: ImportRequest, name: string): string {
  return userPath(`${path === '/' ? '' : path}/${name}`)
}
