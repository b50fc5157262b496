// The disaster recovery program: its own tests in Python, and its command line as a person in distress uses it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test, type TestContext } from 'node:test'

const root = resolve(import.meta.dirname, '../..')
const program = join(root, 'recovery/recover.py')
const vectors = join(root, 'test/data/fragment')
const python = ['python3', 'python'].find((name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0)
const skip = python === undefined ? 'python3 (3.8 or later) is not here: disaster recovery was not tested' : false

interface Row {
  readonly file: string
  readonly damaged?: string
}

interface Report {
  readonly exit: number
  readonly files: readonly { readonly path: string | null; readonly state: string; readonly target?: string; readonly dealer?: string }[]
  readonly blames: readonly Row[]
  readonly conflict: readonly Row[]
  readonly notes: readonly string[]
}

/** Runs recover.py; `report` is what --json said. */
function recover(...given: readonly string[]): { readonly status: number | null; readonly report: Report; readonly stderr: string } {
  const run = spawnSync(python ?? 'python3', ['-B', program, '--json', ...given], { encoding: 'utf8' })
  const report = run.stdout === '' ? undefined : (JSON.parse(run.stdout) as Report)
  return { status: run.status, report: report as Report, stderr: run.stderr }
}

function scratch(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'recover-'))
  context.after(() => {
    rmSync(folder, { recursive: true })
  })
  return folder
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

function expected(name: string): { readonly sha256: string; readonly path: string } {
  return JSON.parse(readFileSync(join(vectors, name, 'expect.json'), 'utf8')) as { sha256: string; path: string }
}

function fragments(name: string, ...numbers: readonly number[]): string[] {
  return numbers.map((number) => join(vectors, name, `${number}.frg`))
}

for (const [file, least] of [
  ['test_recover.py', 22],
  ['test_vault.py', 24],
] as const) {
  test(`${file} passes whole`, { skip }, (context) => {
    const run = spawnSync(python ?? 'python3', ['-B', '-W', 'error', join(import.meta.dirname, file), '-v'], { encoding: 'utf8' })
    assert.equal(run.status, 0, run.stderr)
    const ran = /^Ran (\d+) tests/m.exec(run.stderr)
    assert.ok(ran !== null && Number(ran[1]) >= least, run.stderr)
    for (const line of run.stderr.split('\n').filter((text) => text.includes('skipped'))) context.diagnostic(line)
  })
}

test('k locations on the command line give the file back under its path', { skip }, (context) => {
  const out = scratch(context)
  for (const name of ['s1-3of5-5000', 's2-2of3-70000-two-runs']) {
    const { status, report } = recover(
      '--out',
      out,
      '--dealer-keys',
      join(vectors, name, 'expect.json'),
      ...fragments(name, 1, 2, ...(name.includes('3of5') ? [3] : [])),
    )
    assert.equal(status, 0)
    assert.equal(report.files[0]?.dealer, 'verified')
    const path = join(out, expected(name).path)
    assert.equal(report.files[0]?.target, path)
    assert.equal(sha256(path), expected(name).sha256)
  }
})

test('pure Python gives the same bytes and says how fast it is', { skip }, (context) => {
  const out = scratch(context)
  const { status, stderr } = recover('--pure', '--out', out, ...fragments('s2-2of3-70000', 2, 3))
  assert.equal(status, 0)
  assert.match(stderr, /pure Python AES: about [\d.]+ [kM]B a second/)
  assert.equal(sha256(join(out, expected('s2-2of3-70000').path)), expected('s2-2of3-70000').sha256)
})

test('exit 2 and an empty folder when fewer than k are there', { skip }, (context) => {
  const out = scratch(context)
  const { status, report } = recover('--out', out, ...fragments('s1-2of3-13', 1))
  assert.equal(status, 2)
  assert.deepEqual(report.blames, [])
  assert.deepEqual(readdirSync(out), [])
})

test('files named together are one location, and a folder is one location', { skip }, (context) => {
  const out = scratch(context)
  const all = fragments('s1-2of3-13', 1, 2, 3)
  assert.equal(recover('--out', out, '--location', ...all).status, 2)
  assert.equal(recover('--out', out, join(vectors, 's1-2of3-13')).status, 2)
  assert.equal(recover('--out', out, '--separate', join(vectors, 's1-2of3-13')).status, 0)
})

test('a dealing is chosen in a conflict', { skip }, (context) => {
  const out = scratch(context)
  const all = fragments('bad/two-dealings', 1, 2, 3, 4)
  const refused = recover('--out', out, ...all)
  assert.equal(refused.status, 2)
  assert.equal(refused.report.conflict.length, 4)
  assert.equal(recover('--out', out, '--deal', '54e77348ab535492f4acfb41a25a976e', ...all).status, 0)
})

test('damage is named with exit 3, and nothing that stands is overwritten', { skip }, (context) => {
  const out = scratch(context)
  const all = fragments('bad/flip-record', 1, 2, 3)
  const first = recover('--out', out, ...all)
  assert.equal(first.status, 3)
  assert.deepEqual(
    first.report.blames.map((row) => row.file),
    ['2.frg'],
  )
  const target = first.report.files[0]?.target
  assert.ok(target !== undefined)
  writeFileSync(target, 'mine')
  const second = recover('--out', out, ...all)
  assert.equal(readFileSync(target, 'utf8'), 'mine')
  assert.notEqual(second.report.files[0]?.target, target)
  assert.equal(recover('--out', out, ...all).report.files[0]?.state, 'already there')
})

test('--list restores nothing', { skip }, (context) => {
  const out = scratch(context)
  const { status, report } = recover('--list', '--out', join(out, 'none'), ...fragments('s1-2of3-13', 1, 2))
  assert.equal(status, 0)
  assert.equal(report.files[0]?.state, 'listed')
  assert.ok(!existsSync(join(out, 'none')))
})

test('a wrong command line is exit 1 with one line', { skip }, (context) => {
  const out = scratch(context)
  const one = fragments('s1-2of3-13', 1)
  for (const wrong of [
    [],
    ['--list'],
    one,
    ['--out', out, 'nowhere'],
    ['--out', out, '--k', '1', ...one],
    ['--out', out, '--deal', 'x', ...one],
  ]) {
    const { status, stderr } = recover(...wrong)
    assert.equal(status, 1, wrong.join(' '))
    assert.match(stderr, /^recover: /m)
  }
  assert.equal(recover('--out', join(vectors, 's1-2of3-13', 'out'), join(vectors, 's1-2of3-13')).status, 1)
})
