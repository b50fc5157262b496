// How conditions are written that must not be looked up by an index.
import { type RawBuilder, sql } from '#database'

/**
 * A text column as it is, by which no index is looked up: where a condition of its own leaves a handful of rows already. A database without
 * statistics would else go through all that a location holds for each of them.
 */
export function unindexed(column: string): RawBuilder<string> {
  return sql<string>`(${sql.ref(column)} || '')`
}
