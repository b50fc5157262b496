// Any name, any size: what comes back is what was given.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { equalPublic, isFailure } from '#base'
import { healthy } from './faulty-checks.ts'
import { withFaultySite } from './faulty-site.ts'
import { get, pattern, put } from './site.ts'

suite('names and sizes', () => {
  test('any name of Unicode comes back as it was given, in NFC', () =>
    withFaultySite({}, async (site) => {
      const names = [
        'a b',
        'ä',
        'ﬁ',
        '\u{1F9EC}',
        'x\ny',
        '%2e%2e',
        'CON',
        'نص',
        '例',
        '-',
        '.hidden',
        'o\'brien "q"',
        'Å'.normalize('NFD'),
        'z\u0301\u0302',
        '\u202Eabc',
        'x'.repeat(255),
      ]
      for (const [index, name] of names.entries()) await put(site.storage, `/n/${name}`, pattern(index, index))
      const { entries } = await site.storage.list({ path: '/n', recursive: false })
      assert.deepEqual(entries.map(({ name }) => name).toSorted(), names.map((name) => name.normalize('NFC')).toSorted())
      for (const [index, name] of names.entries()) assert.ok(equalPublic(await get(site.storage, `/n/${name}`), pattern(index, index)))
      await site.storage.move({ from: '/n', to: '/\u{1F4C1}', replace: false })
      for (const [index, name] of names.entries())
        assert.ok(equalPublic(await get(site.storage, `/\u{1F4C1}/${name}`), pattern(index, index)))
      await assert.rejects(site.storage.move({ from: '/\u{1F4C1}', to: `/${'y/'.repeat(2000)}y`, replace: false }), (error) =>
        isFailure(error, 'storage.path'),
      )
    }))

  test('sizes around every edge, in both layouts', async () => {
    for (const layout of ['shared', 'sealed'] as const)
      await withFaultySite({ layout, threshold: 3, count: 4 }, async (site) => {
        for (const size of [0, 1, 1023, 1024, 1025, 262_128, 262_143, 262_144, 262_145, 524_288, 1_048_577]) {
          const bytes = pattern(size, size)
          await put(site.storage, `/${size}`, bytes)
          assert.ok(equalPublic(await get(site.storage, `/${size}`), bytes), `${layout} ${size}`)
          if (size > 0)
            assert.ok(equalPublic(await get(site.storage, `/${size}`, { first: size - 1, last: size - 1 }), bytes.subarray(size - 1)))
        }
        await healthy(site)
      })
  })
})
