// The session of the manual, as it is typed: a vault, a file, a place lost, repaired, and restored with nothing but two places.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { listing, problem, status, task } from '#contract'
import { quorate, scratch, succeeds } from './support.ts'

const recover = resolve(import.meta.dirname, '../../recovery/recover.py')

test('a session that works as written', async () => {
  await using at = await scratch()
  const scan = randomBytes(300_000)
  await writeFile(join(at.folder, 'scan.dcm'), scan)

  await succeeds(at, ['init', '--threshold', '2', 'folder:a', 'folder:b', 'folder:c'])
  await succeeds(at, ['put', 'scan.dcm', '/mri/scan.dcm'])
  const listed = listing.parse(JSON.parse((await succeeds(at, ['ls', '/mri', '--json'])).out.toString()))
  assert.deepEqual(
    listed.entries.map(({ kind, path, size, version, redundancy }) => ({ kind, path, size, version, redundancy })),
    [{ kind: 'file', path: '/mri/scan.dcm', size: 300_000, version: 1, redundancy: 'redundant' }],
  )

  await rm(join(at.folder, 'b'), { recursive: true })
  await succeeds(at, ['get', '/mri/scan.dcm', 'back.dcm'])
  assert.deepEqual(await readFile(join(at.folder, 'back.dcm')), scan)

  const now = status.parse(JSON.parse((await succeeds(at, ['status', '--json'], 3)).out.toString()))
  assert.equal(now.health, 'degraded')
  assert.ok(now.repairDue > 0)
  const gone = now.locations.filter((location) => location.state !== 'healthy')
  assert.deepEqual(
    gone.map((location) => location.label),
    ['folder:b'],
  )
  assert.ok(gone[0]!.fragments.lost > 0)

  await mkdir(join(at.folder, 'b'))
  await succeeds(at, ['repair'])
  const scrubbed = task.parse(JSON.parse((await succeeds(at, ['scrub', '--json'])).out.toString()))
  assert.deepEqual([scrubbed.state, scrubbed.report?.findings], ['done', []])
  await succeeds(at, ['status'])

  const range = await succeeds(at, ['cat', '--range', '1000-1999', '/mri/scan.dcm'])
  assert.deepEqual(range.out, scan.subarray(1000, 2000))

  await rm(at.home, { recursive: true })
  await promisify(execFile)('python3', [recover, '--out', 'restored', 'a', 'c'], { cwd: at.folder })
  assert.deepEqual(await readFile(join(at.folder, 'restored/mri/scan.dcm')), scan)
})

test('a lost home is rebuilt from the locations, and goes on', async () => {
  await using at = await scratch()
  await writeFile(join(at.folder, 'scan.dcm'), 'first')
  await succeeds(at, ['init', 'folder:a', 'folder:b', 'folder:c'])
  await succeeds(at, ['put', 'scan.dcm', '/mri/'])
  await rm(at.home, { recursive: true })
  await rm(join(at.folder, 'b'), { recursive: true })
  const short = await quorate(at, ['recover', 'folder:a', 'folder:new', '--json'])
  assert.deepEqual([short.code, problem.parse(JSON.parse(short.errors)).code], [1, 'storage.locations'])
  await succeeds(at, ['recover', 'folder:a', 'folder:new', 'folder:c'])
  assert.equal((await succeeds(at, ['cat', '/mri/scan.dcm'])).out.toString(), 'first')
  await succeeds(at, ['status'], 3)
  await succeeds(at, ['repair'])
  await succeeds(at, ['status'])

  // Any two tell where the third one is, and what it is called.
  await rm(at.home, { recursive: true })
  await succeeds(at, ['recover', 'folder:c', 'folder:new'])
  const { locations } = status.parse(JSON.parse((await succeeds(at, ['status', '--json'])).out.toString()))
  assert.deepEqual(
    locations.map(({ label, state }) => `${label} ${state}`),
    ['folder:a healthy', `${join(at.folder, 'new')} healthy`, 'folder:c healthy'],
  )
})
