// A file of this machine as the body of an upload: read once, and only whole if nobody changed it meanwhile.
import { constants, type BigIntStats } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { Failure } from '#base'
import { localFailure } from './local-failure.ts'

export interface LocalSource {
  readonly sizeBytes: number
  /** RFC 3339; undefined when the file's time is none that can be written so. */
  readonly modified: string | undefined
  /** From byte `from` on, up to `end`. A part is overwritten when the one after the next is read. The last part comes only if the file is unchanged. */
  read(from?: number, end?: number): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

const READ_BYTES = 1_048_576

/** Opens a regular file; symbolic links, pipes and devices are refused without waiting for them. */
export async function openLocalSource(path: string): Promise<LocalSource> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const before = await handle.stat({ bigint: true })
      if (!before.isFile()) throw new Failure('cli.file', { detail: `${path} is no regular file.`, culprits: [path] })
      return {
        sizeBytes: Number(before.size),
        modified: timestamp(Number(before.mtimeMs)),
        read: (from = 0, end = Number(before.size)) => readAll(handle, path, { before, from, end }),
        close: () => handle.close(),
      }
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    throw localFailure(error, 'read', path)
  }
}

/** Two buffers in turn: one is being sent while the other is being filled. */
async function* readAll(
  handle: FileHandle,
  path: string,
  { before, from, end }: { readonly before: BigIntStats; readonly from: number; readonly end: number },
): AsyncIterableIterator<Uint8Array> {
  const partBytes = Math.min(READ_BYTES, end - from)
  const buffers = [Buffer.allocUnsafeSlow(partBytes), Buffer.allocUnsafeSlow(end - from > partBytes ? partBytes : 0)] as const
  const readAhead = (turn: number, offset: number): Promise<Uint8Array> => {
    const part = fill(turn, offset)
    // It is waited for later; until then its failure is nobody's surprise.
    part.catch(() => {})
    return part
  }
  const fill = async (turn: number, offset: number): Promise<Uint8Array> => {
    const part = buffers[turn % 2 === 0 ? 0 : 1].subarray(0, Math.min(partBytes, end - offset))
    for (let at = 0; at < part.length;) {
      const { bytesRead } = await handle.read(part, at, part.length - at, offset + at)
      if (bytesRead === 0) throw changed(path)
      at += bytesRead
    }
    return part
  }
  let ahead = readAhead(0, from)
  try {
    for (let turn = 0, offset = from; offset < end; turn++) {
      const part = await ahead
      offset += part.length
      if (offset < end) ahead = readAhead(turn + 1, offset)
      else await unchanged(handle, path, before)
      yield part
    }
    if (from === end) await unchanged(handle, path, before)
  } catch (error) {
    throw localFailure(error, 'read', path)
  } finally {
    await ahead.catch(() => {})
  }
}

/** Same size, time and identity, both of what we hold open and of what now has the name. */
async function unchanged(handle: FileHandle, path: string, before: BigIntStats): Promise<void> {
  const held = await handle.stat({ bigint: true })
  const named = await stat(path, { bigint: true }).catch(() => undefined)
  for (const now of [held, named]) {
    if (now?.size !== before.size || now.mtimeNs !== before.mtimeNs || now.ino !== before.ino || now.dev !== before.dev) throw changed(path)
  }
}

function changed(path: string): Failure {
  return new Failure('storage.source-changed', {
    detail: `${path} changed while it was read; nothing of it was stored.`,
    next: 'Put it again when nobody writes to it.',
    culprits: [path],
  })
}

function timestamp(ms: number): string | undefined {
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  return year >= 1 && year <= 9999 ? date.toISOString() : undefined
}
