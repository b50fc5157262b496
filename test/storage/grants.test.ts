// Grants stand in the vault: they come back without the database, from segments and from a snapshot, and recover.py passes them over.
import assert from 'node:assert/strict'
import { mkdir, rm } from 'node:fs/promises'
import { test } from 'node:test'
import { isFailure } from '#base'
import { withFaultySite, type FaultySite } from './faulty-site.ts'
import { noPython, recoverPy } from './recover-py.ts'
import { finished, makeSite, pattern, put } from './site.ts'

const WHO = `person:${'1'.repeat(32)}`
const GROUP = `group:${'2'.repeat(32)}`

async function live({ storage }: Pick<FaultySite, 'storage'>): Promise<void> {
  const give = (path: string, subject: string, right: 'read' | 'write' | 'manage' | null): Promise<void> =>
    storage.setGrant({ path, subject, right, until: null, by: 'test' })
  await put(storage, '/a/one', pattern(3000, 1))
  await put(storage, '/a/b/two', pattern(10, 2))
  await put(storage, '/c/three', pattern(10, 3))
  await give('/a', WHO, 'read')
  await give('/a/b/two', GROUP, 'manage')
  await give('/', GROUP, 'read')
  await give('/c', WHO, 'write')
  await give('/c', WHO, null)
  await storage.move({ from: '/a', to: '/Ünï/深い', replace: false })
  await give('/c/three', WHO, 'write')
  await storage.moveToTrash({ path: '/c', recursive: true })
}

const facts = async ({ storage }: Pick<FaultySite, 'storage'>): Promise<string[]> =>
  (await storage.grants({})).map(({ path, subject, right }) => `${path.replace(/[0-9a-f]{32}/, 'ID')} ${subject.slice(0, 5)} ${right}`)

const EXPECTED = ['/ group read', '/.quorate-trash/ID/c/three perso write', '/Ünï/深い perso read', '/Ünï/深い/b/two group manage']

for (const [from, logLimits] of [
  ['segments', { flushMs: 1 }],
  ['a snapshot', { flushMs: 1, segmentsMax: 1 }],
] as const)
  test(`without the database they come back from ${from}`, () =>
    withFaultySite({ count: 3, options: { logLimits } }, async (site) => {
      await live(site)
      assert.deepEqual(await facts(site), EXPECTED)
      await site.storage.close()
      await rm(site.home, { recursive: true })
      await mkdir(site.home, { mode: 0o700 })
      await site.reopen()
      const locations = site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abc'[index]! }))
      const task = await finished(site.storage, site.storage.recover({ locations }))
      assert.equal(task.state, 'done', JSON.stringify(task.problem))
      assert.deepEqual(await facts(site), EXPECTED)
      const { entries } = await site.storage.trash({})
      await site.storage.restoreTrash({ id: entries[0]!.id })
      assert.ok((await facts(site)).includes('/c/three perso write'))
    }))

test('recover.py restores the files of a vault that has them', async (t) => {
  if (noPython() !== undefined) return t.skip(noPython())
  const site = await makeSite({ options: { logLimits: { flushMs: 1 } } })
  try {
    await live(site)
    await site.reopen()
    const { status, report } = await recoverPy(site.root, site.folders.slice(0, 2))
    assert.ok(status !== null && status < 3, JSON.stringify(report))
    assert.equal(JSON.stringify(report).includes('unknown'), false)
  } finally {
    await site.end()
  }
})

test('a copy has none, and what is removed for good leaves none behind', async () => {
  const site = await makeSite()
  try {
    await live(site)
    await site.storage.copy({ from: '/Ünï/深い', to: '/copy', replace: false })
    await site.storage.remove({ path: '/Ünï', recursive: true })
    assert.deepEqual(await facts(site), EXPECTED.slice(0, 2))
    await finished(site.storage, site.storage.emptyTrash({}))
    assert.deepEqual(await facts(site), EXPECTED.slice(0, 1))
    await assert.rejects(site.storage.setGrant({ path: '/nothing', subject: WHO, right: 'read', until: null, by: 'test' }), (error) =>
      isFailure(error, 'storage.absent'),
    )
  } finally {
    await site.end()
  }
})
