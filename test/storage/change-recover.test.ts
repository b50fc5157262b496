// After every change, and in the middle of one, k locations restore everything without the database: by the product, and by recover.py.
import assert from 'node:assert/strict'
import { cpSync, existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { ChangeRequest } from '#contract'
import { openSiteStorage, type SiteStorage } from '#storage'
import { filesOf } from './crash-run.ts'
import { hashOf } from './crash-model.ts'
import { noPython, recoverPy, restoredFiles } from './recover-py.ts'
import { finished, makeSite, pattern, put, quiet, type TestSite } from './site.ts'

/** Ends when nothing is to be changed any more. */
async function settle(storage: SiteStorage): Promise<void> {
  for (let round = 0; round < 50; round++) {
    const { state, task } = await storage.change()
    if (state === 'idle') return
    if (task === null) await storage.requestChange({})
    else await finished(storage, Promise.resolve({ id: task }))
  }
  throw new Error(`the change does not end: ${JSON.stringify(await storage.change())}`)
}

/** Until the first object is as wanted. */
async function begun(storage: SiteStorage): Promise<void> {
  for (let round = 0; round < 2000 && (await storage.change()).bytesDone === 0; round++)
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
}

interface Kept {
  /** Current content by path. */
  readonly current: ReadonlyMap<string, string>
  /** All versions by path, the oldest first. */
  readonly versions: ReadonlyMap<string, readonly string[]>
}

async function fill(storage: SiteStorage): Promise<Kept> {
  const current = new Map<string, string>()
  const versions = new Map<string, readonly string[]>()
  for (const [index, size] of [0, 5000, 300_000].entries()) {
    const path = `/f/${size}`
    const [first, second] = [pattern(size, index + 1), pattern(size + 7, index + 50)]
    await put(storage, path, first)
    await put(storage, path, second)
    current.set(path, hashOf(second))
    versions.set(path, [hashOf(first), hashOf(second)])
  }
  await put(storage, '/gone', pattern(900, 77))
  await storage.remove({ path: '/gone', recursive: false })
  await put(storage, '/old-name', pattern(1200, 78))
  await storage.move({ from: '/old-name', to: '/g/new-name', replace: false })
  current.set('/g/new-name', hashOf(pattern(1200, 78)))
  versions.set('/g/new-name', [hashOf(pattern(1200, 78))])
  return { current, versions }
}

async function requireRestored(
  site: TestSite,
  kept: Kept,
  { folders, staying, k }: { readonly folders: readonly string[]; readonly staying: readonly string[]; readonly k: number },
): Promise<void> {
  const home = join(site.root, `other-${Math.random()}`)
  const copyOf = (folder: string): string => `${folder}-copy`
  const copies = folders.map(copyOf)
  for (const folder of folders) cpSync(folder, copyOf(folder), { recursive: true, filter: (path) => !path.includes('.part-') })
  if (noPython() === undefined) {
    // Any k of those that stay must do: what is new does not lie at one that leaves.
    const some = staying.slice(-k)
    const { status, report, out } = await recoverPy(site.root, some.map(copyOf))
    assert.ok(status === 0 || (some.length < folders.length && status !== null && status < 3), JSON.stringify(report))
    const restored = await restoredFiles(out)
    for (const [path, hash] of kept.current) assert.equal(restored.get(path), hash, `${path} by recover.py from ${some.length}`)
    assert.ok(!restored.has('/gone') && !restored.has('/old-name'), 'what was removed or renamed came back')
  }
  await mkdir(home, { mode: 0o700 })
  const storage = await openSiteStorage({ home, variables: {}, log: quiet, productVersion: 'test', syncWrites: false })
  try {
    const task = await finished(storage, storage.recover({ locations: copies.map((folder) => ({ spec: `folder:${folder}` })) }))
    assert.equal(task.state, 'done', JSON.stringify(task.problem))
    assert.deepEqual(new Map(await filesOf(storage)), kept.versions)
    await finished(storage, storage.repair({}))
    const scrub = await finished(storage, storage.scrub({ depth: 'tags' }))
    // Parts of a catalogue of before, dealt with a smaller k than the head says, are nobody's: they are named, not trusted.
    assert.deepEqual(
      scrub.report!.findings.filter(({ kind }) => kind !== 'orphan'),
      [],
    )
    assert.deepEqual(new Map(await filesOf(storage)), kept.versions)
  } finally {
    await storage.close()
    await Promise.all([home, ...copies].map((path) => rm(path, { recursive: true, force: true })))
  }
}

const CHANGES: readonly (readonly [string, { threshold: number; count: number }, ChangeRequest])[] = [
  ['a larger threshold', { threshold: 2, count: 4 }, { threshold: 3 }],
  ['a smaller threshold', { threshold: 3, count: 4 }, { threshold: 2 }],
  ['the other layout', { threshold: 2, count: 3 }, {}],
  ['fresh shares', { threshold: 2, count: 3 }, { refresh: 'shares' }],
  ['fresh keys', { threshold: 2, count: 3 }, { refresh: 'keys' }],
  ['a location less', { threshold: 2, count: 4 }, { leave: [{ location: 'b' }] }],
]

for (const layout of ['shared', 'sealed'] as const) {
  suite(`without the database, a ${layout} vault`, () => {
    for (const [name, from, given] of CHANGES) {
      const request: ChangeRequest = name === 'the other layout' ? { layout: layout === 'shared' ? 'sealed' : 'shared' } : given
      for (const moment of ['after', 'in the middle of', 'in the middle of, and before the catalogue in the vault knows,'] as const) {
        test(`${moment} ${name}`, async () => {
          const site = await makeSite({
            ...from,
            layout,
            options: {
              logLimits: { flushMs: moment === 'in the middle of, and before the catalogue in the vault knows,' ? 3600_000 : 50 },
            },
          })
          try {
            const kept = await fill(site.storage)
            if (moment === 'after') {
              await site.storage.requestChange(request)
              await settle(site.storage)
            } else {
              // The first objects are changed; the pace leaves the rest for a later day.
              await site.storage.steerChange({ bytesPerSecond: 20_000 })
              await site.storage.requestChange(request)
            }
            const { wanted, leaving } = await site.storage.change()
            const k = Math.max(wanted.threshold, from.threshold)
            // Copies of the places, as they stand while it runs.
            if (moment.endsWith(',')) await begun(site.storage)
            const folders = site.folders.filter((folder) => existsSync(join(folder, 'location.json')))
            const staying = folders.filter((folder) => leaving.every(({ label }) => !folder.endsWith(`/${label}`)))
            if (!moment.endsWith(',')) await site.storage.close()
            await requireRestored(site, kept, { folders, staying, k })
            await site.reopen()
            await site.storage.steerChange({ bytesPerSecond: 0 })
            await settle(site.storage)
            assert.deepEqual(new Map(await filesOf(site.storage)), kept.versions)
          } finally {
            await site.end()
          }
        })
      }
    }
  })
}
