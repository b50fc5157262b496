// A drill brings files back with each place blocked, by the product and by recover.py, and says in a signed report whether they were equal.
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { isFailure } from '#base'
import { type DrillReport, drillReport } from '#contract'
import { canonicalJson } from '#format'
import { hashOf } from './crash-model.ts'
import { noPython } from './recover-py.ts'
import { finished, makeSite, pattern, put, type TestSite } from './site.ts'

const people: readonly [string, string] = ['Ada Wolf', 'Ben <Krüger>']

async function withFiles(request: Parameters<typeof makeSite>[0], work: (site: TestSite) => Promise<void>): Promise<void> {
  const site = await makeSite(request)
  try {
    await put(site.storage, '/mri/scan.dcm', pattern(600_000, 1))
    await put(site.storage, '/notes', pattern(10, 2))
    await put(site.storage, '/notes', pattern(11, 3))
    await put(site.storage, '/empty', new Uint8Array(0))
    await site.storage.move({ from: '/mri', to: '/ct', replace: false })
    await work(site)
  } finally {
    await site.end()
  }
}

async function last(site: TestSite): Promise<DrillReport> {
  const { report } = await site.storage.lastDrill()
  const parsed = drillReport.parse(JSON.parse(report))
  assert.equal(`${canonicalJson(parsed as never)}\n`, report)
  return parsed
}

suite('drills', { skip: noPython() ?? false }, () => {
  test('with one place blocked there is one round, and the page says which', () =>
    withFiles({}, async (site) => {
      const task = await finished(site.storage, site.storage.drill({ people, files: 10, location: 'b' }))
      assert.deepEqual([task.state, task.total, task.done], ['done', 3, 3])
      const report = await last(site)
      assert.deepEqual([report.passed, report.rounds.map(({ blocked }) => blocked)], [true, ['b']])
      assert.match((await site.storage.lastDrill()).page, /every file came back with b blocked/)
    }))

  test('without two different people, or for a place that is none, nothing begins', () =>
    withFiles({}, async (site) => {
      for (const [code, request] of [
        ['base.invalid', { people: ['Ada', ' ADA '], files: 1 }],
        ['base.invalid', { people: ['Ada', '  '], files: 1 }],
        ['storage.absent', { people, files: 1, location: 'elsewhere' }],
      ] as const)
        await assert.rejects(site.storage.drill(request), (error) => isFailure(error, code))
      assert.deepEqual(site.storage.tasks(), [])
    }))

  for (const layout of ['shared', 'sealed'] as const)
    test(`${layout}: all files equal in every round, timed, signed, and without a name or hash of a file`, () =>
      withFiles({ layout }, async (site) => {
        const task = await finished(site.storage, site.storage.drill({ people, files: 10 }))
        assert.deepEqual([task.state, task.report?.findings, task.done], ['done', [], 9], JSON.stringify(task.problem))
        const report = await last(site)
        assert.deepEqual(
          report.rounds.map(({ blocked, files, product, recoverPy, equal }) => [blocked, files, product, recoverPy, equal]),
          ['a', 'b', 'c'].map((label) => [label, 3, 3, 3, 3]),
        )
        assert.deepEqual([report.passed, report.people, report.bytes, report.objects.length], [true, people, 600_011, 3])
        const { report: text, page } = await site.storage.lastDrill()
        for (const secret of ['scan.dcm', 'notes', hashOf(pattern(600_000, 1)), hashOf(pattern(11, 3))])
          for (const where of [text, page]) assert.equal(where.includes(secret), false, secret)
        assert.ok(page.includes('Ben &lt;Krüger&gt;'))
        const verdict = await site.storage.verifyDrill({ report })
        const { dealer } = (await site.storage.site()).vault!
        assert.deepEqual(verdict, { genuine: true, dealer, ours: true, passed: true })
        assert.deepEqual(
          (await readdir(site.home)).filter((name) => name.startsWith('.drill')),
          [],
        )
      }))

  test('a liar whose fragments are needed once another place is blocked: not passed, and it says where', () =>
    withFiles({}, async (site) => {
      for (const path of ['/ct/scan.dcm', '/notes', '/empty']) {
        const [fragment] = (await site.storage.placement({ path })).fragments
        const file = join(site.folders[fragment!.x - 1]!, fragment!.name!)
        const bytes = await readFile(file)
        bytes[300]! ^= 1
        await writeFile(file, bytes)
      }
      const task = await finished(site.storage, site.storage.drill({ people, files: 10 }))
      assert.equal(task.state, 'done')
      const report = await last(site)
      assert.equal(report.passed, false)
      assert.deepEqual(
        report.rounds.map(({ blocked, equal }) => `${blocked} ${equal}`),
        ['a 3', 'b 0', 'c 0'],
      )
      assert.ok(task.report!.findings.every(({ location }) => location === 'b' || location === 'c'))
      assert.equal((await site.storage.verifyDrill({ report })).passed, false)
    }))

  test('a report that was changed, or signed by another vault, is not ours; before the first there is none', () =>
    withFiles({}, async (site) => {
      await assert.rejects(site.storage.lastDrill(), (error) => isFailure(error, 'storage.absent'))
      await finished(site.storage, site.storage.drill({ people, files: 1 }))
      const report = await last(site)
      const forged = { ...report, people: ['Ada Wolf', 'Nobody'] }
      assert.deepEqual(await site.storage.verifyDrill({ report: forged }), { genuine: false, dealer: '', ours: false, passed: false })
      await assert.rejects(site.storage.verifyDrill({ report: { ...report, more: 1 } }), (error) => isFailure(error, 'base.invalid'))
      await withFiles({}, async (other) => {
        const verdict = await other.storage.verifyDrill({ report })
        assert.deepEqual([verdict.genuine, verdict.ours], [true, false])
      })
    }))
})

test('a vault without files has nothing to try; what a drill that died left is swept at the start', async () => {
  const site = await makeSite()
  try {
    const task = await finished(site.storage, site.storage.drill({ people, files: 3 }))
    assert.deepEqual([task.state, task.problem?.code], ['failed', 'storage.absent'])
    await mkdir(join(site.home, `.drill-${'ab'.repeat(16)}`))
    await writeFile(join(site.home, `.drill-${'ab'.repeat(16)}`, 'plain'), 'a patient')
    await site.reopen()
    assert.deepEqual(
      (await readdir(site.home)).filter((name) => name.startsWith('.drill')),
      [],
    )
  } finally {
    await site.end()
  }
})
