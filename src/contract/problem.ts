// A failure as the document that outsiders see (RFC 9457). Causes and stacks stay inside.
import { Failure } from '#base'
import type { Problem } from './schemas.ts'

/** `instance` names this one occurrence, so that a log line can be found by it. */
export function toProblem(error: unknown, instance: string): Problem {
  const failure = error instanceof Failure ? error : new Failure('base.internal')
  return {
    type: `https://quorate.example/problems/${failure.code}`,
    title: failure.title,
    status: failure.status,
    code: failure.code,
    detail: failure.message,
    ...(failure.next === undefined ? {} : { next: failure.next }),
    culprits: [...failure.culprits],
    retry: failure.retry,
    instance,
  }
}
