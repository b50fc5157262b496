// What the commands of health send, say and answer, over a door in memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { healthView, measuredLocation, plan, problem } from '#contract'
import { inside, scratch } from './support.ts'

test('health says schedule, debt, alarm, locations and history; debt makes the exit code degraded', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  const words = await cli.quorate(['health'])
  assert.equal(words.code, 3, words.errors)
  assert.match(words.out, /^present +everything is there +every 24 hours +last finished/m)
  assert.match(words.out, /^tags .* every 30 days +50 % of this pass/m)
  assert.match(words.out, /repair: 2 fragments due, about 2\.0 KiB, 1 of them where no further loss is bearable, since 2026/)
  assert.match(words.out, /ALARM: west lost much at once/)
  assert.match(words.out, /^west +4 ms \(95 %: 20 ms\) +40 requests, 2\.50 % failed/m)
  assert.match(words.out, /^to repair +▁█▅ +at most 2$/m)
  const parsed = JSON.parse((await cli.quorate(['health', '--json'])).out) as { history: unknown[] }
  assert.equal(healthView.parse(parsed).debt.urgent, 1)
  assert.equal(parsed.history.length, 3)
})

test('the schedule is set in parts, and shown without options', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  const set = await cli.quorate(['health', 'schedule', '--tags', '48', '--full', 'off', '--pause', '--rate', '8', '--share', '0.1'])
  assert.equal(set.code, 0, set.errors)
  assert.match(set.out, /^tags .* every 2 days/m)
  assert.match(set.out, /^full .* off/m)
  assert.match(set.out, /paused; go on with: quorate health schedule --resume/)
  for (const [span, said] of [
    ['30d', '30 days'],
    ['30 days', '30 days'],
    ['12h', '12 hours'],
    ['48', '2 days'],
  ] as const) {
    const spoken = await cli.quorate(['health', 'schedule', '--tags', span])
    assert.match(spoken.out, new RegExp(`^tags .* every ${said}`, 'm'))
  }
  const other = await cli.quorate(['health', 'schedule', '--resume', '--auto-repair', 'off'])
  assert.match(other.out, /at most 8\.0 MiB\/s and 10 % of the time/)
  assert.match(other.out, /damage is not repaired by itself/)
  assert.match((await cli.quorate(['health', 'schedule'])).out, /^full .* off/m)
  assert.deepEqual(
    cli.door.calls.filter((name) => name.endsWith('ealth')),
    ['setHealth', 'setHealth', 'setHealth', 'setHealth', 'setHealth', 'setHealth', 'health'],
  )
  for (const args of [
    ['--pause', '--resume'],
    ['--tags', '0'],
    ['--full', 'never'],
    ['--full', '3 weeks'],
    ['--full', '9999d'],
    ['--share', '2'],
    ['--rate', 'x'],
    ['--auto-repair', 'maybe'],
  ]) {
    const answer = await cli.quorate(['health', 'schedule', ...args, '--json'])
    assert.equal(answer.code, 2, args.join(' '))
    assert.equal(problem.parse(JSON.parse(answer.errors)).code, 'cli.usage')
  }
})

test('location describe adds to what was said before; a price needs a currency', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  const first = await cli.quorate([
    'location',
    'describe',
    'west',
    '--provider',
    'West AG',
    '--jurisdiction',
    'CH',
    '--availability',
    '0.999',
  ])
  assert.equal(first.code, 0, first.errors)
  assert.match(first.out, /^provider +West AG$/m)
  assert.match(first.out, /^GiB out +not stated$/m)
  const unpriced = await cli.quorate(['location', 'describe', 'west', '--per-gib-month', '0.02', '--json'])
  assert.equal(problem.parse(JSON.parse(unpriced.errors)).code, 'cli.usage')
  const priced = await cli.quorate(['location', 'describe', 'west', '--per-gib-month', '0.02', '--currency', 'eur', '--json'])
  const parsed = measuredLocation.parse(JSON.parse(priced.out))
  assert.equal(parsed.traits.provider, 'West AG')
  assert.deepEqual(parsed.traits.price, { currency: 'EUR', perGiBMonth: 0.02, perGiBOut: 0, per10kPuts: 0, per10kGets: 0 })
  const cleared = await cli.quorate(['location', 'describe', 'west', '--clear', '--region', 'north', '--json'])
  assert.deepEqual(measuredLocation.parse(JSON.parse(cleared.out)).traits, { region: 'north' })
  const absent = await cli.quorate(['location', 'describe', 'nowhere', '--region', 'north', '--json'])
  assert.equal(problem.parse(JSON.parse(absent.errors)).code, 'storage.absent')
})

test('plan compares, recommends with reasons, and says what to mind; what is wanted and not there makes it degraded', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  const own = await cli.quorate(['plan'])
  assert.equal(own.code, 3, own.errors)
  assert.match(own.out, /^= +2-shared-1\.2\.3 +2 of 3 +shared/m)
  assert.match(own.out, /quorate plan --take CHOICE/)
  assert.match(own.out, /^10 choices compared for 1\.0 TiB in 1000 files\.$/m)
  assert.match(own.out, /Nothing has all you want; this comes nearest\. It lacks .*independent providers/)
  assert.match(own.out, /Mind: nobody said who runs west, east, north; they count as one provider\./)
  const price = { currency: 'EUR', perGiBMonth: 0.02, perGiBOut: 0.01, per10kPuts: 0, per10kGets: 0 }
  const candidates = ['A', 'B', 'C', 'D'].map((provider) => ({
    label: `at ${provider}`,
    traits: { provider, jurisdiction: provider, availability: 0.9995, durability: 0.999, price },
  }))
  await writeFile(join(at.folder, 'candidates.json'), JSON.stringify(candidates))
  const args = ['plan', '--candidates', 'candidates.json', '--size', '20TiB', '--want-loss', '1e-4']
  const good = await cli.quorate(args)
  assert.equal(good.code, 0, good.errors)
  assert.match(good.out, /^> +\d-sealed-\S+ +\d of \d +sealed +[\d.]+ EUR/m)
  assert.match(good.out, /It is the cheapest that has all you want\./)
  const answer = plan.parse(JSON.parse((await cli.quorate([...args, '-k', '2', '-n', '3', '--layout', 'shared', '--json'])).out))
  assert.equal(answer.bytes, 20 * 2 ** 40)
  assert.equal(answer.considered, 4)
  for (const [code, bad] of [
    ['cli.file', ['--candidates', 'absent.json']],
    ['cli.usage', ['--size', 'much']],
    ['cli.usage', ['--want-loss', '2']],
    ['crypto.threshold', ['-k', '3', '-n', '2']],
  ] as const) {
    const refusal = await cli.quorate(['plan', ...bad, '--json'])
    assert.equal(problem.parse(JSON.parse(refusal.errors)).code, code)
  }
})
