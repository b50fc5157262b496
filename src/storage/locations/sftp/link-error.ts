// Why a call to an SFTP server got no answer, or a bad one. Inside the driver only; callers see failures.

export class LinkError extends Error {
  override readonly name = 'LinkError'
  readonly reason: 'unconnected' | 'lost' | 'stalled' | 'garbled' | 'untrusted' | 'refused' | 'no-sftp'

  /** `detail` is a code of the system, never text of the other side. */
  constructor(reason: LinkError['reason'], detail?: string) {
    super(detail ?? reason)
    this.reason = reason
  }
}

/** The server answered, and said no. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly status: number

  constructor(status: number) {
    super(`status ${status}`)
    this.status = status
  }
}

/** True when the same call may succeed over a new connection. */
export function mayPass(error: unknown): boolean {
  return error instanceof LinkError && (error.reason === 'lost' || error.reason === 'unconnected')
}
