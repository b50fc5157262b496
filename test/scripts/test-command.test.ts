// The test command on a small tree of its own: counts, failures, servers, filters, and nothing left behind.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'

const scripts = resolve(import.meta.dirname, '../../scripts')
const scratch = mkdtempSync(join(tmpdir(), 'quorate-test-command-'))
after(() => rmSync(scratch, { recursive: true, force: true }))
let trees = 0

// Not in one piece, or this file would be taken for one that asks for the real servers.
const announced = 'QUORATE_TEST_'

const PASSING = `import { test } from 'node:test'\ntest('passes', () => undefined)\n`
const ASKING = `import { test } from 'node:test'\ntest('is told', () => { if (process.env.${announced}STORE !== 'here') throw new Error('no store') })\n`
const CHECK = `export const check = async () => (console.log('the checks ran'), true)\n`

/** Says in files of the tree when the servers start and stop. */
function servers(missing: string[]): string {
  return `import { appendFileSync } from 'node:fs'
export async function startServers() {
  appendFileSync('servers.log', 'start ')
  return { env: { ${announced}STORE: 'here' }, missing: ${JSON.stringify(missing)}, stop: async () => appendFileSync('servers.log', 'stop ') }
}
`
}

interface Tree {
  readonly root: string
  readonly temporary: string
  readonly start: (args?: readonly string[], env?: Record<string, string>) => ChildProcess
  readonly run: (args?: readonly string[], env?: Record<string, string>) => Promise<{ code: number | null; output: string; last: string }>
}

function tree(files: Record<string, string>): Tree {
  const root = join(scratch, `${++trees}`, 'tree')
  const temporary = join(scratch, `${trees}`, 'tmp')
  mkdirSync(temporary, { recursive: true })
  for (const part of ['test.ts', 'testing', 'tidy/source.ts']) cpSync(join(scripts, part), join(root, 'scripts', part), { recursive: true })
  for (const [file, text] of Object.entries({ 'package.json': '{"type":"module"}', 'scripts/check.ts': CHECK, ...files })) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  const start: Tree['start'] = (args = [], env = {}) =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'scripts/test.ts'), ...args], {
      cwd: root,
      env: { PATH: process.env['PATH'], TMPDIR: temporary, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  return {
    root,
    temporary,
    start,
    run: async (args, env) => {
      const child = start(args, env)
      let output = ''
      for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
      const [code] = (await once(child, 'close')) as [number | null]
      return { code, output, last: output.trimEnd().split('\n').at(-1) ?? '' }
    },
  }
}

test('all pass: the checks run first, the counts come last, alone', async () => {
  const { run, temporary } = tree({
    'test/a/a.test.ts': PASSING,
    'test/b.test.ts': PASSING,
    'test/c.slow.ts': 'throw new Error("not asked for")',
  })
  const { code, output, last } = await run()
  assert.equal(code, 0, output)
  assert.match(output, /^the checks ran\n/)
  assert.match(output, /✔ test\/a\/a\.test\.ts {2}1 passed/)
  assert.equal(last, '2 passed, 0 failed, 0 skipped')
  assert.deepEqual(readdirSync(temporary), [])
})

test('failures, files that do not load, empty files and skips are counted and told', async () => {
  const { run } = tree({
    'test/a.test.ts': `import { describe, test } from 'node:test'
describe('outer', () => {
  test('passes', () => undefined)
  test('fails', () => { throw new Error('the reason') })
  test('waits', { skip: 'not here' }, () => undefined)
})
`,
    'test/b.test.ts': `throw new Error('does not load')\n`,
    'test/c.test.ts': `// Nothing.\n`,
  })
  const { code, output, last } = await run()
  assert.equal(code, 1)
  assert.match(output, /✖ outer > fails {2}\(test\/a\.test\.ts:4\)/)
  assert.match(output, /the reason/)
  assert.match(output, /does not load/)
  assert.match(output, /test\/c\.test\.ts/)
  assert.match(output, /waits: not here/)
  assert.equal(last, '1 passed, 3 failed, 1 skipped')
})

test('a process that fails after its tests have passed is a failure, with its reason', async () => {
  const late = `import { test } from 'node:test'
test('passes', () => { setTimeout(() => { throw new Error('too late') }, 100) })
`
  const { run } = tree({ 'test/a.test.ts': late, 'test/b.test.ts': `${PASSING}process.on('exit', () => { process.exitCode = 7 })\n` })
  const { code, output, last } = await run()
  assert.equal(code, 1)
  assert.match(output, /too late/)
  assert.match(output, /exit code 7/)
  assert.equal(last, '2 passed, 2 failed, 0 skipped')
})

test('failed checks fail the command, and the tests still run', async () => {
  const { run } = tree({ 'test/a.test.ts': PASSING, 'scripts/check.ts': `export const check = async () => false\n` })
  const { code, output, last } = await run()
  assert.equal(code, 1)
  assert.match(output, /✖ checks/)
  assert.equal(last, '1 passed, 1 failed, 0 skipped')
})

test('servers are started once for all, told to the tests, and stopped', async () => {
  const { run, root } = tree({
    'test/a.test.ts': ASKING,
    'test/b.e2e.test.ts': ASKING,
    'scripts/servers.ts': servers(['not found: store (Debian: store-server)']),
  })
  const { code, output } = await run()
  assert.equal(code, 0, output)
  assert.equal(readFileSync(join(root, 'servers.log'), 'utf8'), 'start stop ')
  assert.match(output, /not found: store \(Debian: store-server\)\n\n2 passed/)
})

test('a missing server fails before any test where all are required', async () => {
  const { run, root } = tree({ 'test/a.test.ts': `console.log('ran')\n${ASKING}`, 'scripts/servers.ts': servers(['not found: store']) })
  const { code, output, last } = await run([], { REQUIRE_SERVERS: '1' })
  assert.equal(code, 1)
  assert.equal(last, '0 passed, 1 failed, 0 skipped')
  assert.match(output, /not found: store/)
  assert.doesNotMatch(output, /^ran$/m)
  assert.equal(readFileSync(join(root, 'servers.log'), 'utf8'), 'start stop ')
})

test('a test that lacks a program fails where all are required', async () => {
  const lacking = `import { test } from 'node:test'\ntest('traces', { skip: 'not found: strace (Debian: strace)' }, () => undefined)\n`
  const { run } = tree({ 'test/a.test.ts': lacking + PASSING.replace(/^.*\n/, '') })
  assert.equal((await run()).last, '1 passed, 0 failed, 1 skipped')
  const { code, last } = await run([], { REQUIRE_SERVERS: '1' })
  assert.deepEqual({ code, last }, { code: 1, last: '1 passed, 1 failed, 0 skipped' })
})

test('a server that does not come up is a failure', async () => {
  const { run } = tree({
    'test/a.test.ts': `// ${announced}STORE\n${PASSING}`,
    'scripts/servers.ts': `export async function startServers() { throw new Error('port taken') }\n`,
  })
  const { code, output, last } = await run()
  assert.equal(code, 1)
  assert.match(output, /port taken/)
  assert.equal(last, '1 passed, 1 failed, 0 skipped')
})

test('filters, --unit and --slow choose', async () => {
  const { run, root } = tree({
    'test/a/x.test.ts': PASSING,
    'test/b/x.test.ts': PASSING,
    'test/b/y.test.ts': PASSING,
    'test/b/z.browser.test.ts': PASSING,
    'test/e2e/v.e2e.test.ts': PASSING,
    'test/b/w.slow.ts': PASSING,
    'scripts/servers.ts': servers([]),
  })
  const chosen = async (...args: string[]): Promise<string[]> => {
    const { output } = await run(args)
    return [...output.matchAll(/^✔ (?<file>test\/\S+)/gm)].map((match) => match.groups!['file']!)
  }
  assert.deepEqual(await chosen('test/b/x'), ['test/b/x.test.ts'])
  assert.deepEqual((await chosen('/x', 'v.e2e')).toSorted(), ['test/a/x.test.ts', 'test/b/x.test.ts', 'test/e2e/v.e2e.test.ts'])
  assert.deepEqual((await chosen('--unit')).toSorted(), ['test/a/x.test.ts', 'test/b/x.test.ts', 'test/b/y.test.ts'])
  assert.deepEqual(await chosen('--slow'), ['test/b/w.slow.ts'])
  assert.deepEqual((await chosen()).slice(-2).toSorted(), ['test/b/z.browser.test.ts', 'test/e2e/v.e2e.test.ts'])
  assert.equal(existsSync(join(root, 'servers.log')), false, 'no file asks for servers')
  assert.equal((await run(['nothing-like-this'])).code, 2)
  assert.equal((await run(['--nothing'])).code, 2)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`after ${signal} nothing runs on and nothing is left`, async () => {
    const { start, root, temporary } = tree({
      'test/a.test.ts': `import { test } from 'node:test'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
test('hangs, with a child', async () => {
  process.env.${announced}STORE
  writeFileSync(join(tmpdir(), 'left'), 'x')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' })
  console.log('pids', process.pid, child.pid)
  await new Promise(() => setInterval(() => undefined, 1000))
})
`,
      'scripts/servers.ts': servers([]),
    })
    const child = start(['a.test'])
    const exited = once(child, 'exit') as Promise<[number | null, string | null]>
    let said = ''
    const pids = await new Promise<number[]>((resolve, reject) => {
      child.stdout!.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const [, ...found] = /pids (\d+) (\d+)/.exec(said) ?? []
        if (found.length === 2) resolve(found.map(Number))
      })
      void exited.then(() => reject(new Error(`it ended early: ${said}`)))
    })
    child.kill(signal)
    assert.deepEqual(await exited, [signal === 'SIGINT' ? 130 : 143, null])
    assert.equal(readFileSync(join(root, 'servers.log'), 'utf8'), 'start stop ')
    assert.deepEqual(readdirSync(temporary), [])
    for (const pid of pids) await gone(pid)
  })
}

/** A killed process stays in the table until its parent, or the system, has looked. */
async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (!alive(pid)) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail(`process ${pid} runs on`)
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : '')
  } catch {
    return false
  }
}
