// A file of this machine is replaced as a whole: whoever reads it meets the old one or the new one.
import { open, rename, rm } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'

export async function replaceWhole(path: string, bytes: Uint8Array): Promise<void> {
  const partial = `${path}.part-${randomUUID()}`
  try {
    const file = await open(partial, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}
