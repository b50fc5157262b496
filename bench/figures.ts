// Sums over rounds: medians, the range that was seen, and ratios taken inside each round, since what slows a machine hits all of one round.
import { randomInt } from 'node:crypto'

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN
}

export function spread(values: readonly number[]): Spread {
  return { median: rounded(median(values)), least: rounded(Math.min(...values)), most: rounded(Math.max(...values)) }
}

/** `1.2 (1.1-1.4)` for tables, as figures for machines. */
export function shown({ median: middle, least, most }: Spread): string {
  return least === most ? String(middle) : `${middle} (${least}-${most})`
}

/** Median of ours / theirs inside each round. */
export function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return rounded(median(ours.map((value, round) => value / theirs[round]!)))
}

export function rounded(value: number): number {
  return Number(value.toPrecision(3))
}

/**
 * Runs every contender once per round, in another order each time.
 * @returns what each run gave, by contender, in the order of the rounds
 */
export async function inRounds<Contender, Result>(
  contenders: readonly Contender[],
  rounds: number,
  run: (contender: Contender, round: number) => Promise<Result>,
): Promise<Map<Contender, Result[]>> {
  const results = new Map<Contender, Result[]>(contenders.map((contender) => [contender, []]))
  for (let round = 0; round < rounds; round++) {
    for (const contender of shuffled(contenders)) results.get(contender)!.push(await run(contender, round))
  }
  return results
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const other = randomInt(last + 1)
    ;[order[last], order[other]] = [order[other]!, order[last]!]
  }
  return order
}
