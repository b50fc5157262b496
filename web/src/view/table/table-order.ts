// In which order the rows of a whole table stand by one of their columns.
import { isNumber } from './records.ts'

/** Numbers by their value where all are numbers, else texts as people order them; what is empty comes last. Equal ones stay as they stand. */
export function orderOf(keys: readonly string[], descending: boolean, locale: string): Uint32Array {
  const numeric = keys.every((key) => key === '' || isNumber(key))
  const collator = new Intl.Collator(locale, { numeric: true })
  const compare = numeric
    ? (a: string, b: string): number => Number(a.replace(',', '.')) - Number(b.replace(',', '.'))
    : (a: string, b: string): number => collator.compare(a, b)
  const sign = descending ? -1 : 1
  return Uint32Array.from(keys.keys()).sort((a, b) => {
    const [x, y] = [keys[a]!, keys[b]!]
    if (x === '' || y === '') return x === y ? a - b : x === '' ? 1 : -1
    return sign * compare(x, y) || a - b
  })
}
