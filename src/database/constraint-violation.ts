// A rule of the schema refused a row. Rooms turn the ones they expect into failures of their own.

export class ConstraintViolation extends Error {
  override readonly name = 'ConstraintViolation'
  readonly constraint: 'unique' | 'foreign-key' | 'not-null' | 'check' | 'other'

  constructor(constraint: ConstraintViolation['constraint'], message: string) {
    super(message)
    this.constraint = constraint
  }
}

/** True when a row with this key exists already. */
export function isUniqueViolation(error: unknown): error is ConstraintViolation {
  return error instanceof ConstraintViolation && error.constraint === 'unique'
}

// SQLite's extended result codes, https://www.sqlite.org/rescode.html
const CONSTRAINTS: ReadonlyMap<number, ConstraintViolation['constraint']> = new Map([
  [275, 'check'],
  [787, 'foreign-key'],
  [1299, 'not-null'],
  [1555, 'unique'],
  [2067, 'unique'],
  [2579, 'unique'],
])

export function constraintViolation(code: number, message: string): ConstraintViolation {
  return new ConstraintViolation(CONSTRAINTS.get(code) ?? 'other', message)
}
