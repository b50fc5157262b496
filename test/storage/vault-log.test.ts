// The catalogue in the vault: heads, segments and snapshots at places that lie, fail or fill up, and homes that were put back or copied.
import assert from 'node:assert/strict'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { type Location, openSiteStorage } from '#storage'
import { databaseOf } from './database-of.ts'
import { healthy } from './faulty-checks.ts'
import { type Control, fragmentsAt, IMPATIENT, withFaultySite } from './faulty-site.ts'
import { finished, pattern, put, quiet } from './site.ts'

suite('the catalogue in the vault', () => {
  test('one location that holds junk under the name of every head does not stop the others', () =>
    withFaultySite({}, async (site) => {
      site.at['b']!.plan = (call) =>
        call.operation === 'putIfAbsent' && call.name!.startsWith('head/') ? { kind: 'lie', says: 'exists' } : undefined
      await put(site.storage, '/x', pattern(10))
      await site.reopen()
      const { recoveryPoint } = await site.storage.status({ check: true })
      assert.equal(recoveryPoint.pendingChanges, 0)
      assert.ok(recoveryPoint.sequence > 0)
    }))

  test('heads that were written and not answered: the next epoch is taken, and nothing is lost', () =>
    withFaultySite({}, async (site) => {
      await put(site.storage, '/x', pattern(10))
      for (const label of ['a', 'b', 'c'])
        site.at[label]!.plan = (call) =>
          call.operation === 'putIfAbsent' && call.name!.startsWith('head/')
            ? { kind: 'fail', when: 'after', code: 'location.unreachable' }
            : undefined
      await site.reopen()
      await put(site.storage, '/y', pattern(11))
      await site.reopen()
      for (const label of ['a', 'b', 'c']) site.at[label]!.plan = () => undefined
      await put(site.storage, '/z', pattern(12))
      await site.reopen()
      const { recoveryPoint } = await site.storage.status({ check: true })
      assert.equal(recoveryPoint.pendingChanges, 0)
      await healthy(site)
    }))

  test('a home that was put back from a backup writes over nothing, and says what to do', () =>
    withFaultySite({ options: { logLimits: { flushMs: 10 } } }, async (site) => {
      await put(site.storage, '/x', pattern(10))
      await site.storage.close()
      const backup = `${site.home}.backup`
      await cp(site.home, backup, { recursive: true })
      await site.reopen()
      for (let index = 0; index < 12; index++) {
        await put(site.storage, `/later/${index}`, pattern(10 + index))
        await site.reopen()
      }
      await site.storage.remove({ path: '/x', recursive: false })
      await site.storage.close()
      await rm(site.home, { recursive: true })
      await rename(backup, site.home)
      await site.reopen()
      await put(site.storage, '/z', pattern(12))
      let said: readonly { code: string; next: string }[] = []
      while (said.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        said = (await site.storage.status({ check: false })).messages.filter(({ code }) => code === 'storage.read-only')
      }
      assert.match(said[0]!.next, /quorate recover/)
      await site.storage.close()
      await rm(site.home, { recursive: true })
      await mkdir(site.home, { mode: 0o700 })
      await site.reopen()
      const locations = site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abc'[index]! }))
      assert.equal((await finished(site.storage, site.storage.recover({ locations }))).state, 'done')
      const names = (await site.storage.list({ path: '/', recursive: true })).entries.map(({ path }) => path)
      assert.equal(names.filter((path) => path.startsWith('/later/')).length, 12)
      // What the old home took in meanwhile is there as well; what was removed stays removed.
      assert.ok(names.includes('/z') && !names.includes('/x'))
    }))

  test('a copy of the home that writes beside us is told as that, and no location is blamed', () =>
    withFaultySite({ options: { logLimits: { flushMs: 10 } } }, async (site) => {
      await put(site.storage, '/x', pattern(10))
      await site.storage.close()
      const home = `${site.home}.copy`
      await cp(site.home, home, { recursive: true })
      // Ours has looked at the heads and may write; its own head is kept from the places until the copy has written its own.
      await site.reopen()
      const kept: string[] = []
      const plan: Control['plan'] = ({ operation, name }) => {
        if (operation !== 'putIfAbsent' || !name!.startsWith('head/')) return undefined
        kept.push(name!)
        return { kind: 'fail', when: 'before', code: 'location.full' }
      }
      for (const control of Object.values(site.at)) control.plan = plan
      await put(site.storage, '/ours', pattern(11))
      while (kept.length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
      const wrapLocation = ({ label }: Location): Location => site.at[label]!.memory
      for (let index = 0; index < 4; index++) {
        const copy = await openSiteStorage({
          home,
          database: await databaseOf(home),
          variables: {},
          log: quiet,
          productVersion: 'test',
          ...IMPATIENT,
          wrapLocation,
        })
        await put(copy, `/theirs/${index}`, pattern(12))
        await copy.close()
      }
      for (const control of Object.values(site.at)) control.plan = () => undefined
      let codes: readonly string[] = []
      for (let tried = 0; tried < 2000 && !codes.includes('storage.read-only'); tried++) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        codes = (await site.storage.status({ check: true })).messages.map(({ code }) => code)
      }
      assert.ok(codes.includes('storage.read-only'), codes.join())
      const { locations } = await site.storage.status({ check: false })
      assert.deepEqual(
        locations.map(({ state }) => state),
        ['healthy', 'healthy', 'healthy'],
      )
    }))

  test('a failure is shown, tried again, and nothing of the changes is lost', () =>
    withFaultySite({ options: { logLimits: { flushMs: 20 } } }, async (site) => {
      await put(site.storage, '/x', pattern(10))
      for (const label of ['a', 'b'])
        site.at[label]!.plan = (call) => (call.operation === 'create' ? { kind: 'fail', when: 'before', code: 'location.full' } : undefined)
      await site.storage.createFolder({ path: '/f' })
      while (!(await site.storage.status({ check: false })).messages.some(({ code }) => code === 'storage.quorum'))
        await new Promise((resolve) => setTimeout(resolve, 5))
      assert.ok((await site.storage.status({ check: false })).recoveryPoint.pendingChanges > 0)
      for (const label of ['a', 'b']) site.at[label]!.plan = () => undefined
      while ((await site.storage.status({ check: true })).recoveryPoint.pendingChanges > 0)
        await new Promise((resolve) => setTimeout(resolve, 5))
      await site.reopen()
      await healthy(site)
    }))

  test('snapshots replace segments, and what they replace goes', () =>
    withFaultySite({ options: { logLimits: { flushMs: 10, segmentLinesMax: 5, segmentsMax: 3 } } }, async (site) => {
      for (let index = 0; index < 40; index++) await put(site.storage, `/f/${index}`, pattern(100, index))
      for (let index = 0; index < 40; index += 2) await site.storage.remove({ path: `/f/${index}`, recursive: false })
      await site.reopen()
      await site.reopen()
      await healthy(site)
      // 20 files, a snapshot and at most three segments.
      for (const label of ['a', 'b', 'c']) assert.ok(fragmentsAt(site.at[label]!).length <= 24, String(fragmentsAt(site.at[label]!).length))
    }))
})
