// Names of those who did something, where rows and the vault hold only a pseudonym.
import type { People } from './ledger.ts'

export interface Names {
  /** The same rows, with the names of those whom the site knows; a pseudonym that nobody bears any more stays. */
  ofRows<Row extends { readonly by: string | null }>(rows: readonly Row[]): Promise<Row[]>
}

export function namesOf(people: People): Names {
  return {
    async ofRows(rows) {
      const pseudonyms = [...new Set(rows.flatMap(({ by }) => (by?.startsWith('person:') === true ? [by] : [])))]
      if (pseudonyms.length === 0) return [...rows]
      const names = await people.names(pseudonyms)
      return rows.map((row) => ({ ...row, by: row.by === null ? null : (names.get(row.by) ?? row.by) }))
    },
  }
}
