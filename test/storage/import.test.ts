// Files that lie plainly somewhere are adopted: whole, once, again after any interruption, and the source stays as it was.
import assert from 'node:assert/strict'
import { appendFile, chmod, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { isFailure } from '#base'
import type { Task } from '#contract'
import { hashOf } from './crash-model.ts'
import { filesOf } from './crash-run.ts'
import { clientFor, KEYS, makeBucket, serverFor } from './locations/s3-servers.ts'
import { finished, makeSite, pattern, put, type TestSite } from './site.ts'

const TIME = new Date('2024-02-29T12:34:56.789Z')

async function withSource(work: (site: TestSite, source: string) => Promise<void>): Promise<void> {
  const site = await makeSite()
  try {
    const source = join(site.root, 'source')
    await mkdir(join(source, 'mri/Ünï'), { recursive: true })
    await mkdir(join(source, 'empty'))
    await writeFile(join(source, 'mri/Ünï/scan.dcm'), pattern(700_000, 1))
    await writeFile(join(source, 'mri/one'), pattern(10, 2))
    await writeFile(join(source, 'nothing'), '')
    for (const name of ['mri/Ünï/scan.dcm', 'mri/one', 'nothing']) await utimes(join(source, name), TIME, TIME)
    await work(site, source)
  } finally {
    await site.end()
  }
}

async function adopt(site: TestSite, source: string, path = '/in', check = false): Promise<Task> {
  return finished(site.storage, site.storage.importFiles({ source, path, check }))
}

const found = (task: Task): string[] => task.report!.findings.map(({ kind, path }) => `${kind} ${path}`)

/** Everything below a folder, to see that nothing of it changed. */
async function picture(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const lines = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      return `${path} ${(await stat(path)).mtimeMs} ${hashOf(await readFile(path))}`
    })
  return (await Promise.all(lines)).toSorted((a, b) => (a < b ? -1 : 1))
}

suite('a look before', () => {
  test('counts files and bytes, names what would be passed over, and stores nothing', () =>
    withSource(async (site, source) => {
      await symlink(join(source, 'nothing'), join(source, 'link'))
      const seen = await site.storage.previewImport({ source: `folder:${source}`, path: '/in' })
      assert.deepEqual(
        [seen.files, seen.bytes, seen.skipped.map(({ name }) => name), seen.moreSkipped, seen.complete],
        [3, 700_010, ['link'], 0, true],
      )
      assert.equal((await site.storage.list({ path: '/', recursive: true })).entries.length, 0)
    }))

  test('many names that are passed over are counted, the first of them shown', () =>
    withSource(async (site, source) => {
      for (let index = 0; index < 25; index++) await symlink('nowhere', join(source, `link-${index}`))
      const seen = await site.storage.previewImport({ source: `folder:${source}`, path: '/in' })
      assert.deepEqual([seen.skipped.length, seen.moreSkipped, seen.files], [20, 5, 3])
    }))

  test('is refused where an import would be: no folder, a location of a vault, a path that cannot be, no vault', () =>
    withSource(async (site, source) => {
      for (const [code, spec, path] of [
        ['location.config', `folder:${source}/absent`, '/in'],
        ['location.not-ours', `folder:${site.folders[0]!}`, '/in'],
        ['storage.path', `folder:${source}`, '/.quorate-trash/x'],
      ] as const)
        await assert.rejects(site.storage.previewImport({ source: spec, path }), (error) => isFailure(error, code))
      const empty = await makeSite({ vault: false })
      try {
        await assert.rejects(empty.storage.previewImport({ source: `folder:${source}`, path: '/' }), (error) =>
          isFailure(error, 'storage.no-vault'),
        )
      } finally {
        await empty.end()
      }
    }))
})

suite('a folder', () => {
  test('every file with its time, empty folders, and nothing at the source changes', () =>
    withSource(async (site, source) => {
      const before = await picture(source)
      const task = await adopt(site, `folder:${source}`)
      assert.deepEqual([task.state, task.done, task.total, found(task)], ['done', 3, 3, []])
      assert.deepEqual(
        await filesOf(site.storage),
        new Map([
          ['/in/mri/one', [hashOf(pattern(10, 2))]],
          ['/in/mri/Ünï/scan.dcm', [hashOf(pattern(700_000, 1))]],
          ['/in/nothing', [hashOf(new Uint8Array(0))]],
        ]),
      )
      assert.equal((await site.storage.stat({ path: '/in/empty' })).kind, 'folder')
      assert.equal(Date.parse((await site.storage.stat({ path: '/in/mri/one' })).modified), TIME.getTime())
      assert.deepEqual(await picture(source), before)
    }))

  test('a second time nothing is stored; a file that is longer, newer or was interrupted is; the same size and time only with check', () =>
    withSource(async (site, source) => {
      await adopt(site, `folder:${source}`)
      assert.deepEqual((await adopt(site, `folder:${source}`)).report?.repairedFragments, 0)
      await site.storage.remove({ path: '/in/mri/Ünï/scan.dcm', recursive: false })
      await appendFile(join(source, 'mri/one'), 'more')
      const again = await adopt(site, `folder:${source}`)
      assert.deepEqual([again.report?.repairedFragments, found(again)], [2, []])
      await writeFile(join(source, 'mri/Ünï/scan.dcm'), pattern(700_000, 3))
      await utimes(join(source, 'mri/Ünï/scan.dcm'), TIME, TIME)
      assert.equal((await adopt(site, `folder:${source}`)).report?.repairedFragments, 0)
      const checked = await adopt(site, `folder:${source}`, '/in', true)
      assert.deepEqual([checked.report?.repairedFragments, found(checked)], [1, ['differs mri/Ünï/scan.dcm']])
      assert.equal((await filesOf(site.storage)).get('/in/mri/Ünï/scan.dcm')?.at(-1), hashOf(pattern(700_000, 3)))
      assert.deepEqual(found(await adopt(site, `folder:${source}`, '/in', true)), [])
    }))

  test('links, names that are no text, a file in the way and the home itself are told, the rest comes', () =>
    withSource(async (site, source) => {
      await symlink('/etc/passwd', join(source, 'link'))
      await writeFile(Buffer.concat([Buffer.from(join(source, 'bad-')), Buffer.from([0xff, 0xfe])]), 'x')
      await put(site.storage, '/in/mri', pattern(3, 9))
      const task = await adopt(site, `folder:${source}`)
      assert.deepEqual(
        found(task).toSorted(),
        ['skipped bad-ÿþ', 'skipped link', 'unreadable mri/one', 'unreadable mri/Ünï/scan.dcm'].toSorted(),
      )
      assert.equal((await site.storage.stat({ path: '/in/nothing' })).kind, 'file')
      const whole = await adopt(site, `folder:${site.root}`, '/all')
      assert.ok(found(whole).includes('skipped home'), found(whole).join())
      const names = [...(await filesOf(site.storage)).keys()]
      assert.equal(
        names.some((name) => name.includes('signing')),
        false,
      )
    }))

  test('a location of a vault, what is no folder, and another kind of place are refused', () =>
    withSource(async (site, source) => {
      const codeOf = (spec: string): Promise<unknown> =>
        site.storage.importFiles({ source: spec, path: '/x', check: false }).then(
          () => 'began',
          (error: unknown) => (isFailure(error) ? error.code : error),
        )
      assert.equal(await codeOf(`folder:${site.folders[0]}`), 'location.not-ours')
      assert.equal(await codeOf(`folder:${join(source, 'nothing')}`), 'location.config')
      assert.equal(await codeOf(`folder:${join(source, 'nowhere')}`), 'location.config')
      assert.equal(await codeOf('azure:https://account.blob.core.windows.net/container'), 'location.config')
    }))

  test('a folder that may not be read is told', { skip: process.getuid?.() === 0 ? 'root reads everything' : false }, () =>
    withSource(async (site, source) => {
      await chmod(join(source, 'mri'), 0o000)
      try {
        assert.deepEqual(found(await adopt(site, `folder:${source}`)), ['skipped mri'])
      } finally {
        await chmod(join(source, 'mri'), 0o755)
      }
    }),
  )

  test('cancelled in the middle, it goes on with what is missing', () =>
    withSource(async (site, source) => {
      for (let index = 0; index < 40; index++) await writeFile(join(source, `file-${index}`), pattern(20_000, index))
      const { id } = await site.storage.importFiles({ source: `folder:${source}`, path: '/in', check: false })
      while (site.storage.task(id).done < 5 && site.storage.task(id).state === 'running') await new Promise(setImmediate)
      const cancelled = await site.storage.cancelTask(id)
      const task = await adopt(site, `folder:${source}`)
      assert.deepEqual([task.state, found(task)], ['done', []])
      assert.equal((await filesOf(site.storage)).size, 43)
      if (cancelled.state === 'cancelled') assert.ok(task.report!.repairedFragments < 43)
    }))
})

const server = serverFor('s3rver')
if (server !== undefined)
  test('a bucket of plain objects, names of any kind, more than a page', async () => {
    const site = await makeSite()
    try {
      const bucket = await makeBucket(server)
      const objects = new Map([
        ['Study 1/Ünï/scan (2).DCM', pattern(5_000_000, 1)],
        ['Study 1/notes', pattern(10, 2)],
        ['empty', new Uint8Array(0)],
      ])
      const client = clientFor(server, bucket)
      for (const [key, bytes] of objects) await client.expect({ method: 'PUT', key, body: [bytes] })
      client.close()
      const file = join(site.root, 'keys.ini')
      const { id, secret } = KEYS[server.kind]
      await writeFile(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`, { mode: 0o600 })
      const spec = `s3:${server.endpoint}/${bucket}?credentials=${encodeURIComponent(file)}`
      const task = await adopt(site, spec, '/bucket')
      assert.deepEqual([task.state, found(task), task.report?.repairedFragments], ['done', [], 3], JSON.stringify(task.problem))
      assert.deepEqual(await filesOf(site.storage), new Map([...objects].map(([key, bytes]) => [`/bucket/${key}`, [hashOf(bytes)]])))
      const again = await adopt(site, spec, '/bucket', true)
      assert.deepEqual([again.report?.repairedFragments, found(again)], [0, []])
    } finally {
      await site.end()
    }
  })
