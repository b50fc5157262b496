// The arithmetic of the health and planner pages: curves, typed numbers, traits, where choices stand in the picture.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlanOption } from '#contract'
import { areaPaths, worstOfEachPixel } from '../../web/src/health/curve.ts'
import { draftOfTraits, traitsOf } from '../../web/src/health/traits-form.ts'
import { within } from '../../web/src/health/typed-number.ts'
import { chosenOf, nines, pictureScale } from '../../web/src/planner/plan-picture.ts'
import { secondsOf, spanOf } from '../../web/src/health/spans.ts'
import { parseRoute, hrefOf } from '../../web/src/app/route.ts'

const HOUR = 3_600_000

test('a curve keeps the worst of each pixel, and breaks where the site did not run', () => {
  const box = { width: 10, height: 100, fromMs: 0, untilMs: 1000 * HOUR }
  const points = Array.from({ length: 300 }, (_, i) => ({ at: i * HOUR, value: i === 50 ? 9 : 1 }))
  const worst = worstOfEachPixel(points, box)
  assert.equal(worst.length, 3)
  assert.deepEqual(
    worst.map(({ value }) => value),
    [9, 1, 1],
  )
  const wide = { ...box, width: 1000 }
  assert.equal(areaPaths(points, wide).length, 1)
  assert.equal(areaPaths([...points, { at: 400 * HOUR, value: 3 }], wide).length, 2, 'a hundred hours of silence')
  assert.equal(areaPaths([{ at: 0, value: 0 }], wide)[0], 'M0 100V100H2V100Z')
  assert.match(
    areaPaths(
      [
        { at: 0, value: 5 },
        { at: 2 * HOUR, value: 10 },
      ],
      wide,
    )[0]!,
    /^M0 100V50H2V0H4V100Z$/,
  )
})

test('typed numbers know the comma and their bounds', () => {
  assert.equal(within(' 0,5 ', 0, 1), 0.5)
  assert.equal(within('1e2', 0, 100), 100)
  for (const text of ['', ' ', 'x', '-1', '101', '1.2.3', 'NaN', 'Infinity']) assert.equal(within(text, 0, 100), undefined, text)
})

test('traits go into the form and come back; what is not usable is named', () => {
  const price = { currency: 'EUR', perGiBMonth: 0.02, perGiBOut: 0, per10kPuts: 0.05, per10kGets: 0 }
  const traits = { provider: 'West', availability: 0.9995, durability: 0.99, price }
  assert.deepEqual(traitsOf(draftOfTraits(traits)), { traits, wrong: [] })
  assert.deepEqual(traitsOf(draftOfTraits({})), { traits: {}, wrong: [] })
  const empty = draftOfTraits({})
  assert.deepEqual(traitsOf({ ...empty, perGiBOut: '1' }).wrong, ['currency'])
  assert.deepEqual(traitsOf({ ...empty, currency: 'euro', availability: '101' }).wrong, ['availability', 'currency'])
  assert.deepEqual(traitsOf({ ...empty, currency: 'chf', perGiBMonth: '0,1' }).traits.price, {
    currency: 'CHF',
    perGiBMonth: 0.1,
    perGiBOut: 0,
    per10kPuts: 0,
    per10kGets: 0,
  })
})

function option(total: number | null, lossPerYear: number, change: Partial<PlanOption> = {}): PlanOption {
  const none = { least: 1, sets: [] }
  return {
    id: '2-shared-1.2.3',
    change: null,
    threshold: 2,
    count: 3,
    layout: 'shared',
    locations: [],
    keptBytes: 100,
    cost: total === null ? null : { storing: total, requests: 0, reading: 0, checking: 0, total },
    availability: 1,
    availabilityAlone: 1,
    writeAvailability: 1,
    lossPerYear,
    providers: none,
    jurisdictions: none,
    warnings: [],
    lacks: [],
    front: true,
    best: true,
    ...change,
  }
}

test('the dearest stands at the right edge, the safest on top; without prices bytes decide', () => {
  const options = [option(5, 1e-3), option(10, 1e-6), option(0, 0.5)]
  const scale = pictureScale(options, { width: 100, height: 60 })
  assert.equal(scale.across, 'cost')
  assert.equal(scale.decades, 6)
  assert.deepEqual(scale.spotOf(options[1]!), { x: 100, y: 0 })
  assert.deepEqual(scale.spotOf(options[0]!), { x: 50, y: 30 })
  assert.equal(pictureScale([option(1, 1), option(null, 0)], { width: 1, height: 1 }).across, 'kept')
  assert.equal(chosenOf([option(1, 1, { best: false }), option(2, 1)], { threshold: 2, count: 3, layout: 'shared' })!.cost!.total, 2)
  assert.equal(chosenOf(options, { threshold: 3, count: 3, layout: 'shared' }), undefined)
})

test('nines are never rounded up to certainty', () => {
  assert.deepEqual(nines(0.99972), { value: 99.972, digits: 3 })
  assert.equal(nines(0.9).value, 90)
  assert.deepEqual(nines(1), { value: 100, digits: 0 })
  assert.ok(nines(0.9999999).value < 100)
})

test('the pages have addresses', () => {
  for (const page of ['locations', 'health', 'planner'] as const) assert.deepEqual(parseRoute(hrefOf({ page })), { page })
  assert.equal(parseRoute('#/elsewhere').page, 'files')
})

test('spans are said in the largest unit that fits, and read back', () => {
  const units = ['hours', 'days'] as const
  assert.deepEqual(spanOf(30 * 86_400, units), { amount: '30', unit: 'days' })
  assert.deepEqual(spanOf(36 * 3600, units), { amount: '36', unit: 'hours' })
  assert.deepEqual(spanOf(5400, units), { amount: '1.5', unit: 'hours' })
  assert.deepEqual(spanOf(0, ['seconds', 'minutes']), { amount: '0', unit: 'seconds' })
  assert.equal(secondsOf({ amount: '1,5', unit: 'days' }, 3600, 1e9), 129_600)
  for (const amount of ['', 'x', '0', '-1', '99999999']) assert.equal(secondsOf({ amount, unit: 'hours' }, 3600, 87_600 * 3600), undefined)
})
