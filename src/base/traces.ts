// An error as a log may keep it: kinds, codes and places in our code. Never its words, which may name files, people or secrets.

export interface Trace {
  readonly name: string
  readonly code?: string | undefined
  /** Stack frames. */
  readonly at: readonly string[]
}

const CAUSES_MAX = 5
const FRAMES_MAX = 12

/** The error and its causes, outermost first; empty for what is no error. */
export function tracesOf(error: unknown): readonly Trace[] {
  const traces: Trace[] = []
  for (let cause: unknown = error; cause instanceof Error && traces.length < CAUSES_MAX; cause = cause.cause) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
    const frames = (cause.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
    traces.push({ name: cause.name, code, at: frames.slice(0, FRAMES_MAX).map((line) => line.trim()) })
  }
  return traces
}
