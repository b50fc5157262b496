// Failures of locations: every one names the location and the next step.
import { Failure, type FailureCode } from '#base'

export interface LocationTrouble {
  readonly label: string
  readonly detail: string
  readonly next: string
  readonly cause?: unknown
}

export function locationFailure(code: FailureCode, trouble: LocationTrouble): Failure {
  return new Failure(code, { detail: trouble.detail, next: trouble.next, culprits: [trouble.label], cause: trouble.cause })
}

export function absent(label: string): Failure {
  return locationFailure('location.absent', {
    label,
    detail: `${label} keeps nothing under this name.`,
    next: 'If it should be there, repair the file from the other locations.',
  })
}

export function exists(label: string): Failure {
  return locationFailure('location.exists', {
    label,
    detail: `${label} keeps something under this name already; it was left as it is.`,
    next: 'Write under a new name.',
  })
}

export function truncated(label: string, numbers: { readonly wanted: number; readonly got: number }): Failure {
  return locationFailure('location.truncated', {
    label,
    detail: `${label} gave ${numbers.got} bytes where ${numbers.wanted} were asked for.`,
    next: 'Scrub the vault; the fragment is rebuilt from the other locations.',
  })
}

/** Throws `base.cancelled` when the signal has fired. */
export function stopIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Failure('base.cancelled')
}

/** Settles as `work` does, or rejects with `base.cancelled` as soon as the signal fires; `work` itself goes on unheard. */
export function unlessCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const cancel = (): void => reject(new Failure('base.cancelled'))
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel))
  })
}
