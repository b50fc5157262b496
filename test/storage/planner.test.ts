// What the planner says of given locations: costs by hand, warnings by name, a recommendation with its reasons.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isFailure } from '#base'
import { type PlanCandidate, planRequest } from '#contract'
import { planPlacement, type PlanQuestion } from '../../src/storage/planner.ts'
import { finished, makeSite, pattern, put } from './site.ts'

const GIB = 2 ** 30

function place(label: string, provider: string, jurisdiction: string, perGiBMonth: number): PlanCandidate {
  const price = { currency: 'EUR', perGiBMonth, perGiBOut: 0.05, per10kPuts: 0.05, per10kGets: 0.004 }
  return { label, traits: { provider, jurisdiction, availability: 0.999, durability: 0.999, price } }
}

const FIVE = [
  place('a1', 'Alpha', 'DE', 0.02),
  place('a2', 'Alpha', 'US', 0.02),
  place('b', 'Beta', 'US', 0.01),
  place('c', 'Gamma', 'CH', 0.03),
  place('d', 'Delta', 'FR', 0.004),
]

function question(change: Partial<PlanQuestion> = {}): PlanQuestion {
  const { layouts, readShare, newFilesPerMonth, repairDays, together, wants } = planRequest.parse({})
  return {
    candidates: FIVE,
    bytes: 1000 * GIB,
    files: 100_000,
    layouts,
    readShare,
    newFilesPerMonth,
    tagsPerYear: 12,
    fullPerYear: 1,
    repairDays,
    together,
    wants,
    ...change,
  }
}

suite('costs', () => {
  test('of a month, worked out by hand', () => {
    const { options, currency } = planPlacement(question({ candidates: [FIVE[2]!, FIVE[4]!], layouts: ['shared'] }))
    const cost = options[0]!.cost!
    const gets = 200_000 + (1000 * GIB) / (8 * 2 ** 20)
    const readOnce = 2 * (1000 * 0.05 + (gets * 0.004) / 10_000)
    assert.equal(currency, 'EUR')
    assert.ok(Math.abs(cost.storing - 1000 * (0.01 + 0.004)) < 1e-9)
    assert.ok(Math.abs(cost.requests - 2 * 1000 * 2 * (0.05 / 10_000)) < 1e-9)
    assert.ok(Math.abs(cost.reading - 0.1 * readOnce) < 1e-9)
    assert.ok(Math.abs(cost.checking - ((1 + 1 / 12) * readOnce + 2 * 100 * 30 * (0.05 / 10_000))) < 1e-9)
    assert.ok(Math.abs(cost.total - cost.storing - cost.requests - cost.reading - cost.checking) < 1e-9)
  })

  test('sealed keeps n/k of the bytes, shared n times', () => {
    const { options } = planPlacement(question({ threshold: 3, count: 5 }))
    assert.deepEqual(
      options.filter(({ best }) => best).map(({ layout, keptBytes }) => [layout, keptBytes / GIB]),
      [
        ['sealed', 5000 / 3],
        ['shared', 5000],
      ],
    )
  })

  test('without a price there is none, and what is kept decides; two currencies do not add up', () => {
    const { price: _, ...unpriced } = FIVE[2]!.traits
    const some = planPlacement(question({ candidates: [FIVE[0]!, { label: 'b', traits: unpriced }, FIVE[3]!], layouts: ['shared'] }))
    assert.equal(some.currency, null)
    const with_b = some.options.find(({ locations }) => locations.includes('b'))!
    assert.equal(with_b.cost, null)
    assert.deepEqual(
      with_b.warnings.filter(({ code }) => code === 'unpriced'),
      [{ code: 'unpriced', about: ['b'] }],
    )
    const dollars = { ...FIVE[3]!, traits: { ...FIVE[3]!.traits, price: { ...FIVE[3]!.traits.price!, currency: 'USD' } } }
    const mixed = planPlacement(question({ candidates: [FIVE[0]!, dollars], layouts: ['shared'] }))
    assert.deepEqual(mixed.options[0]!.warnings.find(({ code }) => code === 'currencies')!.about.toSorted(), ['EUR', 'USD'])
  })
})

suite('warnings', () => {
  test('name the provider and the jurisdiction that alone could read, and the provider that alone can stop it', () => {
    const both = planPlacement(question({ candidates: [FIVE[0]!, FIVE[1]!, FIVE[2]!], threshold: 2, count: 3, layouts: ['shared'] }))
      .options[0]!
    assert.equal(both.providers.least, 1)
    assert.deepEqual(both.providers.sets, [['Alpha']])
    assert.deepEqual(both.jurisdictions.sets, [['US']])
    const codes = Object.fromEntries(both.warnings.map(({ code, about }) => [code, about]))
    assert.deepEqual(codes['one-provider-opens'], ['Alpha'])
    assert.deepEqual(codes['one-jurisdiction-opens'], ['US'])
    assert.deepEqual(codes['one-provider-down'], ['Alpha'])
    assert.ok(both.lacks.includes('providers'))
  })

  test('what is not stated counts as one and the same, and is said', () => {
    const { options } = planPlacement(
      question({ candidates: ['x', 'y', 'z'].map((label) => ({ label, traits: {} })), threshold: 2, count: 3, layouts: ['sealed'] }),
    )
    assert.deepEqual(options[0]!.providers, { least: 1, sets: [['?']] })
    assert.deepEqual(options[0]!.warnings.map(({ code }) => code).toSorted(), [
      'assumed-availability',
      'assumed-durability',
      'one-jurisdiction-opens',
      'one-provider-down',
      'one-provider-opens',
      'sealed-computational',
      'unknown-jurisdiction',
      'unknown-provider',
      'unpriced',
    ])
    assert.ok(planPlacement(question({ threshold: 5, count: 5 })).options[0]!.warnings.some(({ code }) => code === 'no-spare'))
  })
})

suite('recommendation', () => {
  test('is the cheapest that has what is wanted, and stands on the list', () => {
    const answer = planPlacement(question())
    const chosen = answer.options[answer.recommended!]!
    assert.deepEqual(chosen.lacks, [])
    assert.ok(chosen.front)
    for (const { lacks, cost } of answer.options) assert.ok(lacks.length > 0 || cost!.total >= chosen.cost!.total - 1e-9)
    assert.deepEqual(
      answer.reasons.map(({ code }) => code),
      ['cheapest-that-meets'],
    )
    // Every size, threshold and layout has its best, and costs rise down the list.
    assert.equal(answer.options.filter(({ best }) => best).length, 2 * (1 + 2 + 3 + 4))
    const totals = answer.options.map(({ cost }) => cost!.total)
    assert.deepEqual(
      totals,
      totals.toSorted((a, b) => a - b),
    )
    assert.equal(answer.considered, 2 * (10 * 1 + 10 * 2 + 5 * 3 + 1 * 4))
  })

  test('says what even the best lacks', () => {
    const answer = planPlacement(question({ wants: { ...question().wants, jurisdictions: 4, lossPerYear: 1e-15 } }))
    assert.deepEqual(answer.reasons[0]!.code, 'none-meets')
    assert.deepEqual(answer.reasons[0]!.lacks, answer.options[answer.recommended!]!.lacks)
  })

  test('compares with the vault as it is', () => {
    const current = { threshold: 5, layout: 'shared', locations: FIVE.map(({ label }) => label) } as const
    const answer = planPlacement(question({ current }))
    assert.equal(answer.options[answer.current!]!.threshold, 5)
    const codes = answer.reasons.map(({ code }) => code)
    assert.ok(codes.includes('saves') && codes.includes('safer-than-now'), codes.join())
    const chosen = answer.options[answer.recommended!]!
    const candidates = FIVE.filter(({ label }) => chosen.locations.includes(label))
    const again = planPlacement(
      question({
        candidates,
        count: chosen.count,
        current: { threshold: chosen.threshold, layout: chosen.layout, locations: candidates.map(({ label }) => label) },
      }),
    )
    assert.deepEqual(again.reasons.at(-1), { code: 'as-it-is' })
  })

  test('the vault as it is stands among the compared whatever is asked for, and is never recommended for that', () => {
    const current = { threshold: 2, layout: 'shared', locations: ['a1', 'b', 'c'] } as const
    const answer = planPlacement(question({ current, threshold: 4, layouts: ['sealed'] }))
    const now = answer.options[answer.current!]!
    assert.deepEqual([now.id, now.locations], ['2-shared-1.3.4', ['a1', 'b', 'c']])
    assert.equal(answer.options[answer.recommended!]!.threshold, 4)
    // Of equal shapes the one with the vault's own locations is the present one, although others are cheaper.
    const same = planPlacement(question({ current }))
    assert.equal(same.options[same.current!]!.id, '2-shared-1.3.4')
    assert.equal(new Set(same.options.map(({ id }) => id)).size, same.options.length)
    assert.equal(planPlacement(question({ current: { ...current, locations: ['a1', 'b', 'elsewhere'] } })).current, null)
  })

  test('ten candidates are compared in a moment; eleven, one or twins are refused', () => {
    const ten = Array.from({ length: 10 }, (_, i) => place(`p${i}`, `P${i % 6}`, `J${i % 4}`, 0.001 * (i + 1)))
    const answer = planPlacement(question({ candidates: ten }))
    assert.ok(answer.options.length <= 150 && answer.considered > 5000)
    for (const candidates of [[...ten, place('p10', 'P', 'J', 1)], ten.slice(0, 1), [ten[0]!, ten[0]!]])
      assert.throws(
        () => planPlacement(question({ candidates })),
        (error) => isFailure(error, 'base.invalid'),
      )
    assert.throws(
      () => planPlacement(question({ threshold: 5, count: 3 })),
      (error) => isFailure(error, 'crypto.threshold'),
    )
  })
})

test('a site plans for its own locations as people described them, and for others without a vault', async () => {
  const site = await makeSite()
  try {
    await put(site.storage, '/f', pattern(100_000))
    for (const [label, provider] of [
      ['a', 'Alpha'],
      ['b', 'Beta'],
      ['c', 'Gamma'],
    ] as const)
      await site.storage.setTraits({ location: label, traits: { provider } })
    const answer = await site.storage.plan({})
    assert.ok(answer.bytes >= 100_000)
    const now = answer.options[answer.current!]!
    assert.deepEqual([now.threshold, now.count, now.layout], [2, 3, 'shared'])
    assert.equal(now.providers.least, 2)
  } finally {
    await site.end()
  }
  const empty = await makeSite({ vault: false })
  try {
    await assert.rejects(empty.storage.plan({}), (error) => isFailure(error, 'storage.no-vault'))
    assert.ok((await empty.storage.plan({ candidates: FIVE, bytes: GIB })).options.length > 0)
  } finally {
    await empty.end()
  }
})

test('a choice that is taken becomes the vault: the preview says what it costs, the change runs, and it is the present one then', async () => {
  const site = await makeSite({ count: 4 })
  try {
    await put(site.storage, '/f', pattern(100_000))
    for (const [index, label] of ['a', 'b', 'c', 'd'].entries())
      await site.storage.setTraits({ location: label, traits: place(label, label, 'DE', 0.01 * (index + 1)).traits })
    const before = await site.storage.plan({ also: [place('e', 'Epsilon', 'SE', 0.001)], choice: '3-sealed-1.2.3' })
    const foreign = before.options.find(({ locations }) => locations.includes('e'))!
    assert.deepEqual(foreign.change!.add, ['e'])
    assert.match(foreign.id, /\+1$/)
    const wanted = before.options.find(({ id }) => id === '3-sealed-1.2.3')!
    assert.deepEqual(wanted.change!.add, [])
    assert.equal(wanted.change!.leave.length, 1)
    const { threshold, layout, leave } = wanted.change!
    const request = { threshold, layout, leave: leave.map((location) => ({ location })) }
    const preview = await site.storage.previewChange(request)
    assert.deepEqual([preview.after.threshold, preview.after.count, preview.after.layout], [3, 3, 'sealed'])
    assert.ok(preview.monthly.before!.amount > preview.monthly.after!.amount)
    assert.equal(preview.monthly.after!.currency, 'EUR')
    assert.ok(Math.abs(preview.monthly.before!.amount - before.options[before.current!]!.cost!.total) < 1e-9)
    assert.ok(Math.abs(preview.monthly.after!.amount - wanted.cost!.total) < 1e-9)
    // What is still to be added has no price yet.
    assert.equal((await site.storage.previewChange({ ...request, adding: 1 })).monthly.after, null)
    const { task } = await site.storage.requestChange(request)
    assert.equal((await finished(site.storage, Promise.resolve({ id: task! }))).state, 'done')
    const after = await site.storage.plan({})
    assert.equal(after.options[after.current!]!.id, '3-sealed-1.2.3')
  } finally {
    await site.end()
  }
})
