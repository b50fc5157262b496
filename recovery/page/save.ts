// Every file of a vault into an archive or a folder; one after the other, each only when all of its bytes are right.
import { Zip } from '#base'
import { Namer } from './names.ts'
import { type Given, lossOf, type Row, type Vault } from './vault.ts'

/** Where files go, by the names that they get on this computer. */
export interface Target {
  folder(parts: readonly string[]): Promise<void>
  file(parts: readonly string[], given: Given): Promise<void>
}

export interface Outcome {
  readonly files: number
  readonly lost: readonly { readonly path: string; readonly code: string }[]
  /** Files whose name in the vault could not be used here. */
  readonly renamed: readonly { readonly path: string; readonly name: string }[]
  readonly notSigned: number
}

export interface SaveWork {
  readonly signal: AbortSignal
  progress(path: string, done: number, total: number): void
}

export async function saveAll(vault: Vault, target: Target, work: SaveWork): Promise<Outcome> {
  const namer = new Namer()
  const lost: { path: string; code: string }[] = []
  const renamed: { path: string; name: string }[] = []
  let files = 0
  let notSigned = 0
  for (const path of vault.folders) {
    const { parts, hostile } = namer.name(path, 'folder')
    if (hostile) renamed.push({ path, name: parts.join('/') })
    await target.folder(parts)
  }
  for (const [index, row] of vault.rows.entries()) {
    work.signal.throwIfAborted()
    work.progress(row.path, index, vault.rows.length)
    let given
    try {
      given = await vault.give(row, work.signal)
    } catch (error) {
      if (work.signal.aborted) throw error
      lost.push({ path: row.path, code: row.conflict ? 'format.conflict' : lossOf(error) })
      continue
    }
    const { parts } = namer.name(row.path, given.dealId)
    const name = parts.join('/')
    if (name !== row.path.replace(/^\//, '')) renamed.push({ path: row.path, name })
    await target.file(parts, given)
    files += 1
    if (given.dealer !== 'verified') notSigned += 1
  }
  work.progress('', vault.rows.length, vault.rows.length)
  return { files, lost, renamed, notSigned }
}

export function zipTarget(): Target & { finish(): Blob } {
  const zip = new Zip()
  return {
    folder: async (parts) => zip.addFolder(parts),
    file: async (parts, given) => zip.addFile(parts, given),
    finish: () => zip.finish(),
  }
}

/** A folder that a person chose. What stands there under a name is not written over: the file gets a number. */
export function folderTarget(root: FileSystemDirectoryHandle): Target {
  const folderOf = async (parts: readonly string[]): Promise<FileSystemDirectoryHandle> => {
    let folder = root
    for (const part of parts) folder = await folder.getDirectoryHandle(part, { create: true })
    return folder
  }
  return {
    folder: async (parts) => void (await folderOf(parts)),
    file: async (parts, given) => {
      const folder = await folderOf(parts.slice(0, -1))
      const handle = await folder.getFileHandle(await freeName(folder, parts[parts.length - 1]!), { create: true })
      const out = await handle.createWritable()
      await out.write(given.data)
      await out.close()
    },
  }
}

async function freeName(folder: FileSystemDirectoryHandle, wished: string): Promise<string> {
  const dot = wished.lastIndexOf('.')
  const [stem, extension] = dot > 0 ? [wished.slice(0, dot), wished.slice(dot)] : [wished, '']
  for (let number = 1; ; number++) {
    const name = number === 1 ? wished : `${stem} (${number})${extension}`
    try {
      await folder.getFileHandle(name)
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotFoundError') return name
      if (!(error instanceof DOMException && error.name === 'TypeMismatchError')) throw error
    }
  }
}

/** For the list: what can be told of a row before it is read. */
export function matching(rows: readonly Row[], wanted: string): readonly Row[] {
  const text = wanted.normalize('NFC').toLowerCase()
  return text === '' ? rows : rows.filter(({ path }) => path.toLowerCase().includes(text))
}
