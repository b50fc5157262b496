// Every vault of every release opens for ever: by the product and by recover.py.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { suite, test } from 'node:test'
import { openSiteStorage } from '#storage'
import { filesOf } from './crash-run.ts'
import { noPython, recoverPy, restoredFiles } from './recover-py.ts'
import { finished, quiet } from './site.ts'

const VAULTS = resolve(import.meta.dirname, '../data/vaults')

interface Expected {
  readonly threshold: number
  readonly dealer: string
  /** SHA-256 of each version, the oldest first. */
  readonly files: Readonly<Record<string, readonly string[]>>
}

const found = readdirSync(VAULTS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('expect.json'))
  .map((name) => join(VAULTS, name, '..'))
  .toSorted()

test('there are vaults to open', () => assert.ok(found.length >= 2))

for (const vault of found) {
  const expected = JSON.parse(readFileSync(join(vault, 'expect.json'), 'utf8')) as Expected
  const places = readdirSync(vault).filter((name) => name !== 'expect.json')
  const files = new Map(Object.entries(expected.files))

  suite(relative(VAULTS, vault), () => {
    test('the product recovers it into an empty home, and finds nothing wrong', async (context) => {
      const scratch = await mkdtemp(join(tmpdir(), 'release-'))
      context.after(() => rm(scratch, { recursive: true }))
      for (const place of places) cpSync(join(vault, place), join(scratch, place), { recursive: true })
      const home = join(scratch, 'home')
      await mkdir(home, { mode: 0o700 })
      const storage = await openSiteStorage({ home, variables: {}, log: quiet, productVersion: 'test', syncWrites: false })
      try {
        const task = await finished(
          storage,
          storage.recover({ locations: places.map((place) => ({ spec: `folder:${join(scratch, place)}` })) }),
        )
        assert.equal(task.state, 'done', JSON.stringify(task.problem))
        assert.deepEqual(task.report!.findings, [])
        assert.deepEqual(await filesOf(storage), files)
        const scrub = await finished(storage, storage.scrub({ depth: 'tags' }))
        assert.deepEqual(scrub.report!.findings, [])
      } finally {
        await storage.close()
      }
    })

    test('recover.py restores it from every k of its places', { skip: noPython() ?? false }, async (context) => {
      const scratch = await mkdtemp(join(tmpdir(), 'release-'))
      context.after(() => rm(scratch, { recursive: true }))
      for (const left of places) {
        const chosen = places.filter((place) => place !== left).map((place) => join(vault, place))
        const { status, report, out } = await recoverPy(scratch, chosen, '--k', String(expected.threshold), '--dealer', expected.dealer)
        assert.equal(status, 0, JSON.stringify(report))
        assert.deepEqual(await restoredFiles(out), new Map([...files].map(([path, versions]) => [path, versions.at(-1)])))
        assert.ok(
          report.files.every(({ dealer }) => dealer === 'verified'),
          JSON.stringify(report.files),
        )
      }
    })
  })
}
