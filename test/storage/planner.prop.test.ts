// Laws of the planner's arithmetic, and its agreement with counting every state one by one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  answering,
  atLeast,
  colludingSets,
  leastColluders,
  lossesPerYear,
  lossPerYear,
  type ModelPlace,
  paretoFront,
} from '../../src/storage/planner-model.ts'

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const runs = { seed, numRuns: 200 }

function close(a: number, b: number, what: string): void {
  assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(1e-3, Math.abs(a), Math.abs(b)) + 1e-15, `${what}: ${a} and ${b}, seed ${seed}`)
}

/** Every component up or down: places by themselves, and what strikes a whole group. */
function components(places: readonly ModelPlace[], together: number, downOf: (rate: number) => number, asPart: boolean) {
  const list: { readonly rate: number; readonly down: number; readonly hits: readonly number[] }[] = []
  for (const members of Map.groupBy(places.keys(), (i) => places[i]!.group).values()) {
    const least = Math.min(...members.map((i) => places[i]!.failing))
    const shared = members.length < 2 ? 0 : together * least
    const sharedDown = asPart ? shared : downOf(shared)
    list.push({ rate: shared, down: sharedDown, hits: members })
    for (const i of members) {
      const own = asPart ? (sharedDown >= 1 ? 0 : (places[i]!.failing - shared) / (1 - shared)) : places[i]!.failing - shared
      list.push({ rate: own, down: asPart ? own : downOf(own), hits: [i] })
    }
  }
  return list
}

function upAfter(n: number, list: ReturnType<typeof components>, isUp: (c: number) => boolean): number {
  const down = new Set(list.flatMap(({ hits }, c) => (isUp(c) ? [] : hits)))
  return n - down.size
}

function eachState(list: ReturnType<typeof components>, look: (chance: number, isUp: (c: number) => boolean) => void): void {
  for (let bits = 0; bits < 2 ** list.length; bits++) {
    const isUp = (c: number): boolean => (bits >> c) % 2 === 1
    look(
      list.reduce((product, { down }, c) => product * (isUp(c) ? 1 - down : down), 1),
      isUp,
    )
  }
}

/** Spread evenly: doubles of fast-check are nearly all next to nothing. */
function between(least: number, most: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: 1000 }).map((step) => least + ((most - least) * step) / 1000)
}

const place = (failing: fc.Arbitrary<number>): fc.Arbitrary<ModelPlace> => fc.record({ group: fc.constantFrom('a', 'b', 'c'), failing })
const part = between(0, 1)
const awayPlaces = fc.array(place(part), { minLength: 1, maxLength: 5 })
const losingPlaces = fc.array(place(between(0, 50)), { minLength: 1, maxLength: 5 })

test('published: 2 of 3 at 0.9 each is 0.972; two mirrors lose 2 l^2 m / (l + m)^2 times a year', () => {
  const three = ['a', 'b', 'c'].map((group) => ({ group, failing: 0.1 }))
  close(atLeast(2, answering(three, 0.5)), 0.972, 'k of n')
  const [rate, repairYears] = [0.5, 0.01]
  const fill = 1 / repairYears
  const two = ['a', 'b'].map((group) => ({ group, failing: rate }))
  close(lossesPerYear(1, two, { together: 0, repairYears }), (2 * rate ** 2 * fill) / (rate + fill) ** 2, 'mirrors')
  close(lossPerYear(1), 1 - Math.exp(-1), 'a year')
})

test('law: how many places answer is what counting every state gives, and each place keeps its own chance', () => {
  fc.assert(
    fc.property(awayPlaces, part, (places, together) => {
      const chances = answering(places, together)
      const list = components(places, together, (x) => x, true)
      const counted = Array.from({ length: places.length + 1 }, () => 0)
      eachState(list, (chance, isUp) => {
        counted[upAfter(places.length, list, isUp)]! += chance
      })
      for (const [j, one] of counted.entries()) close(chances[j]!, one, `exactly ${j}`)
      const mean = chances.reduce((sum, one, j) => sum + one * j, 0)
      close(
        mean,
        places.reduce((sum, { failing }) => sum + 1 - failing, 0),
        'the mean does not depend on what is shared',
      )
    }),
    runs,
  )
})

test('law: how often data is lost is what the flow out of every state gives', () => {
  fc.assert(
    fc.property(losingPlaces, part, between(0.0001, 1), fc.nat(4), (places, together, repairYears, pick) => {
      const k = 1 + (pick % places.length)
      const list = components(places, together, (rate) => (rate * repairYears) / (1 + rate * repairYears), false)
      let flow = 0
      eachState(list, (chance, isUp) => {
        if (upAfter(places.length, list, isUp) < k) return
        for (const [c, { rate }] of list.entries())
          if (isUp(c) && upAfter(places.length, list, (other) => other !== c && isUp(other)) < k) flow += chance * rate
      })
      close(lossesPerYear(k, places, { together, repairYears }), flow, `k ${k}`)
    }),
    runs,
  )
})

test('law: a larger k answers less often; one more place that fails alone never makes reading rarer', () => {
  fc.assert(
    fc.property(awayPlaces, part, part, (places, together, failing) => {
      const chances = answering(places, together)
      const more = answering([...places, { group: 'new', failing }], together)
      for (let k = 1; k <= places.length; k++) {
        assert.ok(atLeast(k, chances) <= atLeast(k - 1, chances) + 1e-12)
        assert.ok(atLeast(k, more) >= atLeast(k, chances) - 1e-12)
      }
    }),
    runs,
  )
})

test('law: where losses are rare, a smaller k, a faster repair and places apart lose less often', () => {
  const rare = fc.array(place(between(0.001, 0.2)), { minLength: 2, maxLength: 6 })
  fc.assert(
    fc.property(rare, between(0.001, 0.1), fc.nat(5), (places, repairYears, pick) => {
      const k = 2 + (pick % (places.length - 1))
      const rate = (threshold: number, years: number, together: number): number =>
        lossesPerYear(threshold, places, { together, repairYears: years })
      assert.ok(rate(k - 1, repairYears, 0) <= rate(k, repairYears, 0) * (1 + 1e-9))
      assert.ok(rate(k, repairYears / 2, 0) <= rate(k, repairYears, 0) * (1 + 1e-9) || k === places.length)
      const apart = places.map((one, i) => ({ ...one, group: String(i) }))
      // k = n is lost by any one loss: there, losing together is losing less often.
      if (k < places.length && places.every(({ group }) => group === places[0]!.group)) {
        const alone = lossesPerYear(k, apart, { together: 0.5, repairYears })
        assert.ok(alone <= rate(k, repairYears, 0.5) * (1 + 1e-9), `${alone} ${rate(k, repairYears, 0.5)}`)
      }
    }),
    runs,
  )
})

test('law: those who collude hold k together, none of them can be left away, and no fewer can', () => {
  const groups = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 9 })
  fc.assert(
    fc.property(groups, fc.nat(8), (places, pick) => {
      const k = 1 + (pick % places.length)
      const names = [...new Set(places)]
      const holding = (some: readonly string[]): number => places.filter((one) => some.includes(one)).length
      const all = Array.from({ length: 2 ** names.length }, (_, bits) => names.filter((__, i) => (bits >> i) % 2 === 1))
      const able = all.filter((some) => holding(some) >= k)
      const least = Math.min(...able.map(({ length }) => length))
      assert.equal(leastColluders(k, places), least)
      const expected = able.filter(({ length }) => length === least).map((some) => some.toSorted().join())
      assert.deepEqual(
        colludingSets(k, places, 1000)
          .map((some) => some.join())
          .toSorted(),
        expected.toSorted(),
      )
      assert.equal(leastColluders(places.length + 1, places), undefined)
    }),
    runs,
  )
})

test('law: nobody on the front is beaten, and everybody else is, by somebody on it', () => {
  const rows = fc.array(fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4)), { maxLength: 40 })
  const beats = (a: readonly number[], b: readonly number[]): boolean =>
    a.every((value, i) => value <= b[i]!) && a.some((value, i) => value < b[i]!)
  fc.assert(
    fc.property(rows, (choices) => {
      const front = paretoFront(choices, (one) => one)
      for (const one of choices) assert.equal(front.has(one), !choices.some((other) => beats(other, one)))
      for (const one of choices) if (!front.has(one)) assert.ok([...front].some((other) => beats(other, one)))
    }),
    runs,
  )
})
