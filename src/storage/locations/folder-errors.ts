// What the operating system says, in the words of locations.
import { type Failure, type FailureCode, isFailure } from '#base'
import { locationFailure } from './failures.ts'

interface Meaning {
  readonly code: FailureCode
  readonly says: string
  readonly next: string
}

const MOUNT = 'Check that the disk is connected and mounted.'
const RIGHTS = 'Give the user that runs Quorate the right to read and write this folder.'
const ROOM = 'Free space on this disk, or add another location.'
const BROKEN = 'Check the disk and its cable or network; the other locations go on serving.'

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOSPC: { code: 'location.full', says: 'has no space left', next: ROOM },
  EDQUOT: { code: 'location.full', says: 'has used up its quota', next: ROOM },
  EFBIG: { code: 'location.full', says: 'keeps no files this large', next: 'Use a file system without this limit.' },
  EACCES: { code: 'location.denied', says: 'denies access', next: RIGHTS },
  EPERM: { code: 'location.denied', says: 'denies access', next: RIGHTS },
  EROFS: { code: 'location.denied', says: 'is mounted read-only', next: 'Mount it writable.' },
  ENOENT: { code: 'location.unreachable', says: 'is not there', next: MOUNT },
  ENOTDIR: {
    code: 'location.not-ours',
    says: 'has a file where a folder should be',
    next: 'Move what is not a fragment out of this folder.',
  },
  ELOOP: {
    code: 'location.not-ours',
    says: 'has a link where a fragment should be',
    next: 'Remove links from this folder; they are not followed.',
  },
  EISDIR: {
    code: 'location.not-ours',
    says: 'has a folder where a fragment should be',
    next: 'Move what is not a fragment out of this folder.',
  },
  ENAMETOOLONG: { code: 'location.unsupported', says: 'cannot keep names this long', next: 'Use a folder with a shorter path.' },
  EMFILE: {
    code: 'location.unreachable',
    says: 'could not be opened, too many files are open',
    next: 'Raise the limit of open files (ulimit -n).',
  },
  ENFILE: {
    code: 'location.unreachable',
    says: 'could not be opened, too many files are open',
    next: 'Raise the limit of open files of this machine.',
  },
  ETIMEDOUT: { code: 'location.stalled', says: 'stopped answering', next: BROKEN },
}

const OTHER: Meaning = { code: 'location.unreachable', says: 'could not be used', next: BROKEN }

/** The failure for an error of the file system; failures pass unchanged. The path is not told: it is in the label if anywhere. */
export function folderFailure(error: unknown, label: string): Failure {
  if (isFailure(error)) return error
  const errno = errnoOf(error)
  const meaning = (errno === undefined ? undefined : MEANINGS[errno]) ?? OTHER
  return locationFailure(meaning.code, {
    label,
    detail: `${label} ${meaning.says}${errno === undefined ? '' : ` (${errno})`}.`,
    next: meaning.next,
  })
}

/** `ENOENT` and the like, or undefined for what is no error of the system. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  // Node knows no name for this one: -122 on Linux, -69 on macOS.
  if ('errno' in error && error.errno === (process.platform === 'darwin' ? -69 : -122)) return 'EDQUOT'
  return /^E[A-Z0-9]+$/.test(error.code) ? error.code : 'unknown'
}
