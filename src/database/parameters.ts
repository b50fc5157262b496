// What may be bound to a statement: only what SQLite and PostgreSQL keep as it is given.
import { assert } from '#base'
import type { SqlValue } from './protocol.ts'

/** Our own mistakes, so assertions: input from outside is parsed before it comes here. */
export function checkParameters(parameters: readonly unknown[]): asserts parameters is readonly SqlValue[] {
  for (const value of parameters) {
    if (value === null) continue
    if (typeof value === 'number') {
      assert(Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)), 'numbers are finite, integers are safe')
    } else if (typeof value === 'string') {
      assert(value.isWellFormed() && !value.includes('\0'), 'texts are well-formed Unicode without NUL')
    } else {
      assert(value instanceof Uint8Array, `a ${typeof value} is not bound: null, number, string or Uint8Array`)
    }
  }
}
