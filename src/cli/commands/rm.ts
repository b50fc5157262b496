// rm: into the trash; with --now out of the vault, with every version and every fragment.
import { Failure } from '#base'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { typedPath } from '../vault-paths.ts'
import { counted, printable } from '../words.ts'

export interface RmOptions {
  readonly recursive: boolean
  readonly version: number | undefined
  readonly now: boolean
}

export async function rm(context: Context, paths: readonly string[], options: RmOptions): Promise<number> {
  const { recursive, version, now } = options
  if (version !== undefined && paths.length > 1) throw new Failure('cli.usage', { detail: 'One version of one file at a time.' })
  for (const typed of paths) {
    const { path } = typedPath(typed)
    const { removed, trash } = await context.client.remove(
      { path, recursive, now, ...(version === undefined ? {} : { version }) },
      { signal: context.signal },
    )
    await context.out.value({ path, removed, trash })
    await context.out.line(
      version !== undefined
        ? `${printable(path)}: version ${version} removed`
        : trash === null
          ? `${printable(path)}: ${counted(removed, 'file')} removed`
          : `${printable(path)}: ${counted(removed, 'file')} in the trash; back with: quorate trash restore ${trash.slice(0, 8)}`,
    )
  }
  return EXIT.done
}
