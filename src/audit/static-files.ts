// A copy of the log as static files in a folder: any web server, or `cp -r`, serves it as it is.
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { LogTarget } from '#format/log'
import { replaceFile } from './files.ts'

export function folderTarget(folder: string): LogTarget {
  const made = new Set<string>()
  return {
    has: async (path) => {
      try {
        return (await stat(join(folder, path))).isFile()
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
        throw error
      }
    },
    write: async (path, bytes) => {
      const target = join(folder, path)
      const parent = dirname(target)
      if (!made.has(parent)) await mkdir(parent, { recursive: true, mode: 0o700 })
      made.add(parent)
      await replaceFile(target, bytes)
    },
  }
}
