// Laws of the newest head among several writers: what counted once is never skipped, whatever is heard, and two of one epoch never count.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, majorityOf } from '../../src/storage/head-look.ts'
import { chance } from './crash-model.ts'

interface Place {
  readonly heads: Map<number, string>
}

/** Writers that hear and reach any places at random, and stop at any step: as `AmongOthers` does, without its waiting. */
function history(seed: number): { counted: number; skipped: number } {
  const random = chance(seed)
  const count = 3 + random.below(4)
  const voters = Array.from({ length: count }, (_, index) => String(index))
  const places = voters.map((): Place => ({ heads: new Map() }))
  const majority = majorityOf(voters)
  /** What counted: hash by epoch, and the base that it was written on. */
  const counted = new Map<number, string>()
  const baseOf = new Map<string, number>()
  let skipped = 0
  let names = 0
  const look = () => {
    for (const [epoch, hash] of places.flatMap(({ heads }) => [...heads]))
      if (places.filter(({ heads }) => heads.get(epoch) === hash).length >= majority) {
        assert.ok(counted.get(epoch) === undefined || counted.get(epoch) === hash, `two heads of epoch ${epoch} count`)
        counted.set(epoch, hash)
      }
  }
  const bases = [0, 0, 0]
  for (let step = 0; step < 200; step++) {
    const writer = random.below(bases.length)
    const base = bases[writer]!
    const heard = new Set(voters.filter(() => random.below(4) > 0))
    const seen = new Map<string, { epoch: number; hash: string; places: Set<string> }>()
    const taken = new Map<string, Set<number>>()
    for (const id of heard) {
      const { heads } = places[Number(id)]!
      taken.set(id, new Set(heads.keys()))
      for (const [epoch, hash] of heads) {
        const one = seen.get(hash) ?? { epoch, hash, places: new Set<string>() }
        one.places.add(id)
        seen.set(hash, one)
      }
    }
    const verdict = judge({
      voters,
      look: { heard, taken, heads: [...seen.values()] },
      base: { epoch: base, hash: counted.get(base) ?? null },
    })
    const put = (epoch: number, hash: string): void => {
      for (const id of voters) {
        if (random.below(4) === 0) continue
        const { heads } = places[Number(id)]!
        if (!heads.has(epoch)) heads.set(epoch, hash)
      }
    }
    if (verdict.kind === 'newest') {
      bases[writer] = seen.get(verdict.hash)!.epoch
      assert.equal(counted.get(bases[writer]), verdict.hash)
    } else if (verdict.kind === 'help') put(seen.get(verdict.hash)!.epoch, verdict.hash)
    else if (verdict.kind === 'none') {
      // Everything that counted so far must be what this writer stands on.
      assert.ok(Math.max(0, ...counted.keys()) <= base, `seed ${seed}: a head that counts was passed over`)
      skipped += verdict.spent - base
      names += 1
      const hash = `${seed}-${names}`
      baseOf.set(hash, base)
      put(verdict.spent + 1, hash)
    }
    look()
  }
  for (const [epoch, hash] of counted) {
    const earlier = [...counted.keys()].filter((one) => one < epoch)
    assert.equal(baseOf.get(hash), Math.max(0, ...earlier), 'a head that counts stands on the one that counted before')
  }
  return { counted: counted.size, skipped }
}

test('heads that count form one chain, however writers hear, race and stop', () => {
  let counted = 0
  let skipped = 0
  for (let seed = 1; seed <= 400; seed++) {
    const one = history(seed)
    counted += one.counted
    skipped += one.skipped
  }
  assert.ok(counted > 4000 && skipped > 20, `${counted} counted, ${skipped} epochs used up`)
})
