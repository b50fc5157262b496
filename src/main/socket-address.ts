// A path by which the kernel takes a socket: those are short, homes are not.
import { closeSync, openSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Failure } from '#base'

export interface SocketAddress {
  readonly path: string
  close(): void
}

/** sun_path has 104 bytes on Apple systems and 108 on Linux, with the zero at its end. */
const PATH_BYTES_MAX = 103

/** Longer paths go through an open handle of the folder, which Linux names in a few bytes. */
export function socketAddress(path: string): SocketAddress {
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) return { path, close: () => {} }
  if (process.platform !== 'linux') {
    throw new Failure('main.config', {
      detail: `The path of the home is too long for a socket: ${dirname(path)}`,
      next: 'Set QUORATE_HOME to a folder with a shorter path.',
    })
  }
  const handle = openSync(dirname(path), 'r')
  return { path: join(`/proc/self/fd/${handle}`, basename(path)), close: () => closeSync(handle) }
}
