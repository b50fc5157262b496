// The arithmetic of the planner, pure: how often k of n places answer, how likely data is lost, who can read together.
// The model is stated in docs/operate/planner.md; section names in comments are of that page.

/** A place as the model sees it: chances of one place, and whom it fails together with. */
export interface ModelPlace {
  /** Places of one group share a part of their failures. */
  readonly group: string
  /** Part of the time that it does not answer, or the rate of losing everything in a year. */
  readonly failing: number
}

/** "Together": per group, the part of failures that strikes the whole group; marginals of each place stay as stated. */
interface Parts {
  readonly commons: readonly { readonly down: number; readonly members: readonly number[]; readonly each: readonly number[] }[]
}

/** "Availability": chance that exactly j places answer, j = 0..n. `failing` is the part of the time that a place is away. */
export function answering(places: readonly ModelPlace[], together: number): number[] {
  return combined(split(places, together))
}

/** Chance that at least k do. */
export function atLeast(k: number, chances: readonly number[]): number {
  return Math.min(
    1,
    chances.slice(k).reduce((sum, one) => sum + one, 0),
  )
}

/**
 * "Loss": times a year, on average, that fewer than k places hold what they should. Places lose all at rate `failing` (a year) and are filled
 * again after `repairYears` on average, each independently but for what its group shares; the frequency of a system of independent
 * components that fail and are repaired is the sum over components of rate, chance to be up, and chance that all hangs on it (Birnbaum).
 */
export function lossesPerYear(
  k: number,
  places: readonly ModelPlace[],
  model: { readonly together: number; readonly repairYears: number },
): number {
  const groups = groupsOf(places)
  const down = (rate: number): number => (rate * model.repairYears) / (1 + rate * model.repairYears)
  const parts = groups.map((members) => {
    const shared = members.length < 2 ? 0 : model.together * Math.min(...members.map((i) => places[i]!.failing))
    const own = members.map((i) => places[i]!.failing - shared)
    return { shared, own, sharedDown: down(shared), ownDown: own.map(down) }
  })
  const spread = parts.map(({ sharedDown, ownDown }) => mixed(sharedDown, binomials(ownDown)))
  let rate = 0
  for (const [g, part] of parts.entries()) {
    const rest = convolveAll(spread.filter((_, index) => index !== g))
    const sharedUp = 1 - part.sharedDown
    // The group falls as one: fewer than k elsewhere, at least k with it.
    const members = binomials(part.ownDown)
    if (part.shared > 0) {
      let critical = 0
      for (let b = 0; b < Math.min(k, rest.length); b++) critical += rest[b]! * atLeast(k - b, members)
      rate += part.shared * sharedUp * critical
    }
    for (const [i, own] of part.own.entries()) {
      const others = binomials(part.ownDown.filter((_, index) => index !== i))
      const exactly = convolve(others, rest)[k - 1] ?? 0
      rate += own * (1 - part.ownDown[i]!) * sharedUp * exactly
    }
  }
  return rate
}

/** Chance of at least one loss in a year. */
export function lossPerYear(rate: number): number {
  return -Math.expm1(-rate)
}

/** "Collusion": the least number of groups whose places together are k. Undefined when all together are not. */
export function leastColluders(k: number, groups: readonly string[]): number | undefined {
  const sizes = [...Map.groupBy(groups, (group) => group).values()].map((members) => members.length).toSorted((a, b) => b - a)
  let sum = 0
  for (const [index, size] of sizes.entries()) {
    sum += size
    if (sum >= k) return index + 1
  }
  return undefined
}

/** The groups of the least number that together hold k, in order of names; at most `max`. */
export function colludingSets(k: number, groups: readonly string[], max: number): string[][] {
  const least = leastColluders(k, groups)
  if (least === undefined) return []
  const sizes = [...Map.groupBy(groups, (group) => group)].map(([group, members]) => ({ group, size: members.length }))
  const names = sizes.toSorted((a, b) => (a.group < b.group ? -1 : 1))
  const found: string[][] = []
  const choose = (from: number, chosen: readonly string[], sum: number): void => {
    if (found.length >= max) return
    if (chosen.length === least) {
      if (sum >= k) found.push([...chosen])
      return
    }
    for (let i = from; i < names.length; i++) choose(i + 1, [...chosen, names[i]!.group], sum + names[i]!.size)
  }
  choose(0, [], 0)
  return found
}

/** Of several choices those that no other beats: as good in everything, better in something. Lower is better throughout. */
export function paretoFront<T>(choices: readonly T[], measuresOf: (choice: T) => readonly number[]): Set<T> {
  const front: { readonly choice: T; readonly measures: readonly number[] }[] = []
  const rows = choices.map((choice) => ({ choice, measures: measuresOf(choice) }))
  // A choice that beats another is before it in this order, so that nobody on the front is beaten later.
  rows.sort((a, b) => {
    const at = a.measures.findIndex((value, index) => value !== b.measures[index])
    return at < 0 ? 0 : a.measures[at]! - b.measures[at]!
  })
  for (const row of rows) {
    const beaten = front.some(
      ({ measures }) =>
        measures.every((value, index) => value <= row.measures[index]!) && measures.some((value, index) => value < row.measures[index]!),
    )
    if (!beaten) front.push(row)
  }
  return new Set(front.map(({ choice }) => choice))
}

function split(places: readonly ModelPlace[], together: number): Parts {
  return {
    commons: groupsOf(places).map((members) => {
      const failing = members.map((i) => places[i]!.failing)
      const down = members.length < 2 ? 0 : together * Math.min(...failing)
      return { down, members, each: failing.map((one) => (down >= 1 ? 0 : (one - down) / (1 - down))) }
    }),
  }
}

function combined({ commons }: Parts): number[] {
  return convolveAll(commons.map(({ down, each }) => mixed(down, binomials(each))))
}

function groupsOf(places: readonly ModelPlace[]): number[][] {
  return [...Map.groupBy(places.keys(), (i) => places[i]!.group).values()]
}

/** Chances that exactly j of these are up, each down by its own chance. */
function binomials(down: readonly number[]): number[] {
  let chances = [1]
  for (const one of down) chances = convolve(chances, [one, 1 - one])
  return chances
}

/** All are down together with this chance; else as given. */
function mixed(down: number, chances: readonly number[]): number[] {
  return chances.map((one, j) => one * (1 - down) + (j === 0 ? down : 0))
}

function convolveAll(all: readonly (readonly number[])[]): number[] {
  return all.reduce<number[]>((sum, one) => convolve(sum, one), [1])
}

function convolve(a: readonly number[], b: readonly number[]): number[] {
  const sum = Array.from({ length: a.length + b.length - 1 }, () => 0)
  for (const [i, x] of a.entries()) for (const [j, y] of b.entries()) sum[i + j]! += x * y
  return sum
}
