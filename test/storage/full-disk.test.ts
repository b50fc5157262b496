// A disk that is really full. It needs the right to mount; faults.test.ts plays the same with a location that says it is full.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { equalPublic } from '#base'
import { finished, get, makeSite, pattern, put } from './site.ts'

test('a full disk is named, keeps no half file, and is repaired when there is room', { skip: noMount() ?? false }, async (context) => {
  const site = await makeSite({ vault: false })
  const disk = join(site.root, 'b')
  context.after(() => {
    spawnSync('umount', ['-l', disk])
    return site.end()
  })
  assert.equal(spawnSync('mkdir', [disk]).status, 0)
  assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', disk]).status, 0)
  await site.storage.createVault({
    threshold: 2,
    layout: 'shared',
    requireAll: false,
    locations: site.folders.map((folder, index) => ({ spec: `folder:${folder}`, label: 'abc'[index]! })),
  })
  const small = pattern(300_000, 1)
  assert.equal((await put(site.storage, '/small', small)).acknowledged, 3)
  const large = pattern(3_000_000, 2)
  const stored = await put(site.storage, '/large', large)
  assert.deepEqual(stored.laggards, ['b'])
  const place = (await site.storage.status({ check: true })).locations[1]!
  assert.match(`${place.detail} ${place.next}`, /no space left.*Free space/s)
  assert.equal(place.state, 'degraded')
  const parts = readdirSync(disk, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.part'))
  assert.deepEqual(parts, [])
  // Still full: the repair says so, and what it began is gone.
  const first = await finished(site.storage, site.storage.repair({}))
  assert.match(first.report!.findings.map(({ detail }) => detail).join(), /no space left/)
  assert.deepEqual(
    readdirSync(disk, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.part')),
    [],
  )
  assert.equal(spawnSync('mount', ['-o', 'remount,size=20m', disk]).status, 0)
  const second = await finished(site.storage, site.storage.repair({}))
  assert.deepEqual(second.report!.findings, [])
  await site.reopen()
  assert.equal((await site.storage.status({ check: true })).health, 'healthy')
  assert.deepEqual((await finished(site.storage, site.storage.scrub({ depth: 'tags' }))).report!.findings, [])
  await rm(site.folders[0]!, { recursive: true })
  assert.ok(equalPublic(await get(site.storage, '/large'), large))
})

function noMount(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'mount-'))
  const tried = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder])
  if (tried.status === 0) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true })
  return tried.status === 0 ? undefined : 'nothing may be mounted here: a full disk was played only'
}
