// A text in the home that is written once, line by line, and read afterwards: for what is too much for memory.
import { open } from 'node:fs/promises'
import { Failure } from '#base'

const GATHERED_CHARS = 64 * 1024

export interface Spool extends AsyncDisposable {
  /** Throws `storage.read-only` when the home takes no more. */
  write(line: string): Promise<void>
  /** Everything is in the file, which is closed. */
  end(): Promise<void>
}

/** Creates the file; whoever called removes it. */
export async function createSpool(path: string): Promise<Spool> {
  const file = await open(path, 'wx', 0o600)
  let gathered: string[] = []
  let chars = 0
  const flush = async (): Promise<void> => {
    const text = gathered.join('')
    gathered = []
    chars = 0
    await file.appendFile(text).catch((error: NodeJS.ErrnoException) => {
      throw new Failure('storage.read-only', {
        detail: `the home of this site takes no more of the catalogue (${error.code ?? 'no reason'})`,
        next: 'Make room where QUORATE_HOME is; it is tried again by itself.',
        cause: error,
      })
    })
  }
  return {
    async write(line) {
      gathered.push(line, '\n')
      chars += line.length + 1
      if (chars >= GATHERED_CHARS) await flush()
    },
    async end() {
      await flush()
      await file.close()
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}
