// What the operating system says about a file of this machine, as a failure that people can act on.
import { Failure } from '#base'

const WORDS: Readonly<Record<string, { readonly what: string; readonly next?: string }>> = {
  ENOENT: { what: 'there is no such file or folder' },
  EACCES: { what: 'permission denied', next: 'Look at the permissions of the file and of the folders above it.' },
  EPERM: { what: 'the operation is not permitted' },
  EISDIR: { what: 'it is a folder' },
  ENOTDIR: { what: 'a part of the path is not a folder' },
  EEXIST: { what: 'it exists already', next: 'Use --force to replace it, or choose another name.' },
  ENOSPC: { what: 'the disk is full', next: 'Make room and run the command again; what was not finished is not there.' },
  EDQUOT: { what: 'your quota of the disk is used up', next: 'Make room and run the command again.' },
  EROFS: { what: 'the disk is read-only' },
  ENAMETOOLONG: { what: 'the name is too long for this disk' },
  EMFILE: { what: 'too many files are open', next: 'Try again with --parallel 1.' },
  EIO: { what: 'the disk cannot read or write it', next: 'Look at the health of the disk.' },
  ELOOP: { what: 'it is a symbolic link, or a loop of them' },
  EILSEQ: { what: 'the disk does not take such a name' },
}

/** Codes after which no other file of the same run would fare better. */
const HOPELESS = new Set(['ENOSPC', 'EDQUOT', 'EROFS'])

export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** A failure that names the file; failures and what is no system error pass unchanged. */
export function localFailure(error: unknown, doing: string, path: string): unknown {
  const code = systemCode(error)
  if (error instanceof Failure || code === undefined) return error
  const known = WORDS[code]
  return new Failure('cli.file', {
    detail: `Cannot ${doing} ${path}: ${known?.what ?? code}.`,
    culprits: [path],
    cause: error,
    ...(known?.next === undefined ? {} : { next: known.next }),
  })
}

export function isHopeless(error: unknown): boolean {
  return error instanceof Failure && HOPELESS.has(systemCode(error.cause) ?? '')
}
