// What an SFTP server says, or does not say, in the words of locations.
import { type Failure, isFailure } from '#base'
import { locationFailure } from '../failures.ts'
import type { Meaning } from '../web/errors.ts'
import { LinkError, StatusError } from './link-error.ts'
import { STATUS } from './packets.ts'

const LATER = 'It is tried again by itself; the other locations go on serving.'
const NOT_SFTP = 'Check the address: something else than an SFTP server answers there.'

const LINKS: Readonly<Record<LinkError['reason'], Meaning>> = {
  unconnected: {
    code: 'location.unreachable',
    says: 'cannot be connected to',
    next: 'Check the address, the network, and that the server runs; the other locations go on serving.',
  },
  lost: { code: 'location.unreachable', says: 'closed the connection', next: LATER },
  stalled: { code: 'location.stalled', says: 'made no progress for too long', next: LATER },
  garbled: { code: 'location.lies', says: 'answered something that is not SFTP', next: NOT_SFTP },
  'no-sftp': {
    code: 'location.unsupported',
    says: 'lets us in, but offers no SFTP',
    next: 'Switch on the sftp subsystem on the server (Subsystem sftp internal-sftp).',
  },
  untrusted: {
    code: 'location.untrusted',
    says: 'shows another host key than the one that was pinned; nothing was sent to it',
    next: 'Ask who runs the server whether its key was changed. If so, pin the new one with hostKey=; if not, somebody stands in between.',
  },
  refused: {
    code: 'location.denied',
    says: 'does not let us in',
    next: 'Check the user, the key or password, and that the key stands in authorized_keys. A corrected file is read by itself.',
  },
}

const RIGHTS = 'Give the user of this login the right to read and write below the folder of the location.'
const DENIED: Meaning = { code: 'location.denied', says: 'denies access to a file or folder', next: RIGHTS }
const ABSENT: Meaning = {
  code: 'location.unreachable',
  says: 'does not have the folder of the location',
  next: 'Make the folder on the server, or mount the disk that holds it.',
}
const CANNOT: Meaning = {
  code: 'location.unsupported',
  says: 'cannot do what was asked',
  next: 'Probe the location to see what it can do.',
}
const FAILED: Meaning = {
  code: 'location.unreachable',
  says: 'failed without saying why',
  next: 'Look at the server: its disk or quota may be full, or the disk broken.',
}

/** The failure for anything that was thrown inside the driver; failures pass unchanged. */
export function sftpFailure(error: unknown, label: string): Failure {
  if (isFailure(error)) return error
  if (error instanceof LinkError) {
    const { code, says, next } = LINKS[error.reason]
    const named = error.message === error.reason || error.reason === 'untrusted' ? '' : ` (${error.message})`
    return locationFailure(code, { label, detail: `${label} ${says}${named}.`, next })
  }
  if (!(error instanceof StatusError)) throw error
  const { code, says, next } = meaningOf(error.status)
  return locationFailure(code, { label, detail: `${label} ${says} (SFTP status ${error.status}).`, next })
}

function meaningOf(status: number): Meaning {
  if (status === STATUS.denied) return DENIED
  if (status === STATUS.noSuchFile) return ABSENT
  return status === STATUS.unsupported || status === STATUS.badMessage ? CANNOT : FAILED
}

/** Runs work of the driver; what it throws comes out as a failure of the location. */
export async function inWords<T>(label: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw sftpFailure(error, label)
  }
}

export function full(label: string): Failure {
  return locationFailure('location.full', {
    label,
    detail: `${label} has no space left.`,
    next: 'Free space on the server, or add another location.',
  })
}
