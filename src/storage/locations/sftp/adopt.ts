// Unfinished writes of one name on an SFTP server: finding them again, reading them back, going on with them.
import { basename } from 'node:path'
import { assert } from '#base'
import type { FragmentName, FragmentSink, LocationOptions, UnfinishedWrite } from '../contract.ts'
import { stopIfCancelled } from '../failures.ts'
import { inWords } from './errors.ts'
import { StatusError } from './link-error.ts'
import { rawEntries } from './list.ts'
import { OPEN, STATUS } from './packets.ts'
import { type PartPaths, lockOf } from './publish.ts'
import type { SftpSession } from './session.ts'
import { SftpSink, isPartFor, partOf } from './sink.ts'
import { SftpSource, openNow } from './source.ts'
import { type SftpStore, pathOf, requireRoot } from './store.ts'

/** The longest of what was left for the name; what stands under the name itself is taken back first. The others, and a lock of ours, are removed. */
export async function adoptOverSftp(
  store: SftpStore,
  session: SftpSession,
  name: FragmentName,
  signal: AbortSignal | undefined,
): Promise<UnfinishedWrite | undefined> {
  await requireRoot(store, session, signal)
  const target = pathOf(store, name)
  await removeThere(session, lockOf({ target }), signal)
  const standing = await session.lookAt(target, signal)
  if (standing?.type === 'file') await session.rename(target, partOf(target), signal)
  const parts = await partsFor(store, session, name, signal)
  const [longest, ...others] = parts.toSorted((a, b) => b.sizeBytes - a.sizeBytes)
  for (const { path } of others) await removeThere(session, path, signal)
  if (longest === undefined) return undefined
  const opened = await openNow(store, session, longest.path, signal)
  const source = new SftpSource(store, longest.path, { ...opened, tail: new Uint8Array(0) })
  return new SftpUnfinished(store, { target, part: longest.path, locked: false }, source)
}

/** Removes the unfinished files of the name, and a lock of ours. */
export async function forgetOverSftp(
  store: SftpStore,
  session: SftpSession,
  name: FragmentName,
  signal: AbortSignal | undefined,
): Promise<void> {
  await removeThere(session, lockOf({ target: pathOf(store, name) }), signal)
  for (const { path } of await partsFor(store, session, name, signal)) await removeThere(session, path, signal)
}

async function partsFor(
  store: SftpStore,
  session: SftpSession,
  name: FragmentName,
  signal: AbortSignal | undefined,
): Promise<{ readonly path: string; readonly sizeBytes: number }[]> {
  const folder = name.slice(0, name.lastIndexOf('/') + 1)
  const parts: { path: string; sizeBytes: number }[] = []
  for await (const { name: file, attributes } of rawEntries(store, session, folder, signal)) {
    if (attributes.type !== 'file' || !isPartFor(basename(name), file)) continue
    parts.push({ path: pathOf(store, `${folder}${file}`), sizeBytes: attributes.sizeBytes ?? 0 })
  }
  return parts
}

async function removeThere(session: SftpSession, path: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await session.remove(path, signal)
  } catch (error) {
    if (!(error instanceof StatusError) || error.status !== STATUS.noSuchFile) throw error
  }
}

class SftpUnfinished implements UnfinishedWrite {
  readonly sizeBytes: number
  readonly #store: SftpStore
  readonly #paths: PartPaths
  readonly #source: SftpSource

  constructor(store: SftpStore, paths: PartPaths, source: SftpSource) {
    this.#store = store
    this.#paths = paths
    this.#source = source
    this.sizeBytes = source.sizeBytes
  }

  read(offset: number, into: Uint8Array, options: LocationOptions = {}): Promise<void> {
    return this.#source.read(offset, into, options)
  }

  async resume(sizeBytes: number, options: LocationOptions = {}): Promise<FragmentSink> {
    assert(sizeBytes <= this.sizeBytes, 'resume within what is there')
    await this.close()
    return inWords(this.#store.label, async () => {
      stopIfCancelled(options.signal)
      const handle = await this.#store.link.use(async (session) => {
        const opened = await session.open(this.#paths.part, OPEN.write, options)
        try {
          await session.truncate(opened, sizeBytes, options.signal)
          // What was read back need not have reached the disk: from here on it is counted on.
          await session.sync(opened, options.signal)
        } catch (error) {
          session.close(opened)
          throw error
        }
        return opened
      }, options.signal)
      return new SftpSink(this.#store, this.#paths, handle, { ...options, fromBytes: sizeBytes })
    })
  }

  close(): Promise<void> {
    return this.#source.close()
  }
}
