// Rows for the table to draw, wherever they come from.

export interface TableSource {
  readonly columns: readonly string[]
  /** Columns that are not shown, since there are too many. */
  readonly columnsLeft: number
  readonly count: number
  readonly complete: boolean
  readonly share: number
  extend(signal: AbortSignal): Promise<boolean>
  rows(first: number, count: number, signal: AbortSignal): Promise<readonly (readonly string[])[]>
}

export const COLUMNS_MAX = 200

/** Rows that are in memory. */
export function rowsInMemory(columns: readonly string[], rows: readonly (readonly string[])[]): TableSource {
  return {
    columns,
    columnsLeft: 0,
    count: rows.length,
    complete: true,
    share: 1,
    extend: async () => false,
    rows: async (first, count) => rows.slice(first, first + count),
  }
}
