// Copies a log as static files: what lies there already is not fetched again, and the head comes last.
import { Failure } from '#base'
import type { LogFiles } from './verify-log.ts'
import { allTiles, TILE_WIDTH, tilePath } from './tiles.ts'

export interface LogTarget {
  has(path: string): Promise<boolean>
  /** Whole or not at all. */
  write(path: string, bytes: Uint8Array): Promise<void>
}

export interface CopyLogRequest {
  readonly from: LogFiles
  readonly to: LogTarget
  /** The signed head, and how many entries it is over. */
  readonly checkpoint: Uint8Array
  readonly size: number
  /** Verifier keys of the log, one a line. */
  readonly vkeys: string
  readonly progress?: ((done: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Answers how many tiles were written. An interrupted copy goes on where it was. */
export async function copyLog({ from, to, checkpoint, size, vkeys, progress, signal }: CopyLogRequest): Promise<number> {
  let written = 0
  for (const tile of allTiles(size)) {
    if (signal?.aborted === true) throw new Failure('base.cancelled')
    const path = tilePath(tile)
    if (!(await to.has(path))) {
      const bytes = await from.read(path)
      if (bytes === undefined) throw new Failure('audit.absent', { detail: `The log does not have ${path}.`, culprits: [path] })
      await to.write(path, bytes)
      written += 1
    }
    if (tile.kind === 'entries') progress?.(tile.index * TILE_WIDTH + tile.width)
  }
  await to.write('vkeys', new TextEncoder().encode(vkeys))
  await to.write('checkpoint', checkpoint)
  return written
}
