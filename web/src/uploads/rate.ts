// How fast bytes go, over the last few seconds.

const WINDOW_MS = 6000
const SAMPLES_MAX = 120

export interface Rate {
  /** Notes the bytes sent so far in all. */
  note(nowMs: number, bytes: number): void
  /** Bytes per second over the window; 0 when nothing is known. */
  perSecond(nowMs: number): number
  reset(): void
}

export function createRate(): Rate {
  let samples: { atMs: number; bytes: number }[] = []
  const trim = (nowMs: number): void => {
    samples = samples.filter((sample) => sample.atMs > nowMs - WINDOW_MS).slice(-SAMPLES_MAX)
  }
  return {
    note: (nowMs, bytes) => {
      trim(nowMs)
      samples.push({ atMs: nowMs, bytes })
    },
    perSecond: (nowMs) => {
      trim(nowMs)
      const first = samples[0]
      const last = samples.at(-1)
      if (first === undefined || last === undefined || nowMs - first.atMs < 250) return 0
      return Math.max(0, ((last.bytes - first.bytes) / (nowMs - first.atMs)) * 1000)
    },
    reset: () => {
      samples = []
    },
  }
}
