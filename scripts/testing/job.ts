// What the test command asks of the process that runs files, and what it answers.

export interface Job {
  readonly root: string
  /** Absolute paths. */
  readonly files: readonly string[]
  /** How many files run at once. */
  readonly concurrency: number
  /** For each test, and for each file as a whole. */
  readonly timeoutMs: number
}

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Where, which and why. */
  readonly skips: readonly string[]
}
