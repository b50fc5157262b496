// What a sweep may take away: only what the vault's own catalogue knows to be replaced, whatever is replaced while it is at work.
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { suite, test } from 'node:test'
import { Failure } from '#base'
import type { ChangeRequest } from '#contract'
import { type Location, openSiteStorage } from '#storage'
import { hashOf } from './crash-model.ts'
import { filesOf } from './crash-run.ts'
import { finished, makeSite, pattern, put, quiet, type TestSite } from './site.ts'

const FILES = 12
/** Far larger than all that the catalogue says of them. */
const SIZE = 60_000

function aWhile(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Paths of all fragments of files. */
async function fragments({ folders }: TestSite): Promise<string[]> {
  const found: string[] = []
  for (const folder of folders)
    for (const name of await readdir(folder, { recursive: true })) {
      const path = join(folder, name)
      if (/\/[0-9a-f]{32}$/.test(name) && !name.startsWith('head') && (await stat(path)).size >= SIZE) found.push(path)
    }
  return found
}

/** Hashes of what a fresh home finds in copies of the folders that lack some files. */
async function recovered(site: TestSite, without: readonly string[]): Promise<Set<string>> {
  const other = join(site.root, 'other')
  const home = join(other, 'home')
  await mkdir(home, { recursive: true, mode: 0o700 })
  const copies = site.folders.map((folder) => join(other, basename(folder)))
  for (const [index, folder] of site.folders.entries())
    cpSync(folder, copies[index]!, { recursive: true, filter: (path) => !without.includes(path) })
  const storage = await openSiteStorage({ home, variables: {}, log: quiet, productVersion: 'test', syncWrites: false })
  try {
    const task = await finished(storage, storage.recover({ locations: copies.map((folder) => ({ spec: `folder:${folder}` })) }))
    assert.equal(task.state, 'done', JSON.stringify(task.problem))
    return new Set([...(await filesOf(storage)).values()].flat())
  } finally {
    await storage.close()
    await rm(other, { recursive: true })
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 2000 && !(await holds()); round++) await aWhile(5)
  assert.ok(await holds())
}

suite('a sweep at work while a change replaces fragments', () => {
  for (const [name, request] of [
    ['fresh keys', { refresh: 'keys' }],
    ['fresh shares', { refresh: 'shares' }],
    ['a larger threshold', { threshold: 3 }],
  ] as const satisfies readonly (readonly [string, ChangeRequest])[])
    test(`${name}: what the vault does not know yet stays`, async () => {
      const gate = Promise.withResolvers<void>()
      const reached = Promise.withResolvers<void>()
      const closing = Promise.withResolvers<void>()
      const now = { gated: false, headsHang: false }
      const wrapLocation = (location: Location): Location =>
        new Proxy(location, {
          get: (target, key) => {
            if (key === 'discard' && now.gated)
              return async (...given: Parameters<Location['discard']>) => {
                reached.resolve()
                await gate.promise
                return target.discard(...given)
              }
            if (key === 'putIfAbsent' && now.headsHang)
              return async (): Promise<never> => {
                await closing.promise
                throw new Failure('location.unreachable', { detail: 'not in this test', culprits: [target.label] })
              }
            const value: unknown = Reflect.get(target, key, target)
            return typeof value === 'function' ? value.bind(target) : value
          },
        })
      const site = await makeSite({ count: 4, options: { wrapLocation, logLimits: { flushMs: 3600_000 } } })
      try {
        const kept = new Set<string>()
        for (let at = 0; at < FILES; at++) {
          const bytes = pattern(SIZE, at + 1)
          await put(site.storage, `/${at}`, bytes)
          kept.add(hashOf(bytes))
        }
        await put(site.storage, '/gone', pattern(10, 99))
        const before = await fragments(site)
        now.gated = true
        await site.storage.remove({ path: '/gone', recursive: false })
        // The sweep has looked at what the vault knows and takes the first fragment away.
        await reached.promise
        await site.storage.requestChange(request)
        await until(async () => (await site.storage.change()).due.objects < FILES)
        now.headsHang = true
        await until(async () => (await site.storage.change()).due.objects === 0)
        gate.resolve()
        // Time for it to take more, which it must not.
        await aWhile(500)
        closing.resolve()
        await site.storage.close()

        assert.deepEqual(await recovered(site, []), kept)
        // Should what the catalogue names be gone all the same, what took its place is found.
        assert.deepEqual(await recovered(site, before), kept)
      } finally {
        gate.resolve()
        closing.resolve()
        await site.end()
      }
    })
})
