// The launcher: programs behave as if started directly, and packages are installed once, whatever interrupts it.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'

const root = resolve(import.meta.dirname, '../..')
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'quorate-launcher-')))
after(() => rmSync(scratch, { recursive: true, force: true }))
let trees = 0

/** Where Node cannot replace itself, as Node 20 cannot. */
const ways = { 'becoming the program': [], 'staying in between': ['--import', 'data:text/javascript,delete process.execve'] }

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly error: string
}

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves once the program has written a line with this text. */
  said(text: string): Promise<void>
}

function begin(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string } = {}): Started {
  const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? cleanEnvironment(), stdio: 'pipe' })
  child.stdin.end(options.input ?? '')
  let out = ''
  let error = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()))
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, out, error }))
  const said = async (text: string): Promise<void> => {
    while (!out.includes(text))
      await Promise.race([once(child.stdout, 'data'), ended.then(() => assert.fail(`it ended early: ${out}${error}`))])
  }
  return { child, ended, said }
}

/** Without what `npm test` adds. */
function cleanEnvironment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: scratch, ...more }
}

/** A checkout in a folder with spaces, with the packages of this one and the given files. */
function checkout(files: Record<string, string> = {}, { packages = true } = {}): string {
  const folder = join(scratch, `a check out ${++trees} ü`)
  mkdirSync(folder)
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
  if (packages) symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const lock = packages ? readFileSync(join(root, 'package-lock.json'), 'utf8') : LOCK
  for (const [file, text] of Object.entries({ 'package.json': '{"type":"module"}', 'package-lock.json': lock, ...files })) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  return folder
}

for (const [way, flags] of Object.entries(ways)) {
  describe(`by ${way}`, () => {
    const launch = (folder: string, args: readonly string[], options: Parameters<typeof begin>[2] = {}): Started =>
      begin(process.execPath, [...flags, join(folder, 'bin/run.mjs'), ...args], options)

    test('arguments, folder, input and output are the program’s own', async () => {
      const program = `const kind: string = 'typed'
let input = ''
for await (const chunk of process.stdin) input += chunk
console.log(JSON.stringify({ kind, input, args: process.argv.slice(2), cwd: process.cwd(), major: Number(process.versions.node.split('.')[0]) }))
console.error('to the side')
`
      const folder = checkout({ 'src/show.ts': program })
      const args = ['a b', '', '--flag', "it's", '"', '*', 'ü🧬', '$HOME']
      const ended = await launch(folder, ['src/show.ts', ...args], { cwd: scratch, input: 'from outside' }).ended
      assert.equal(ended.code, 0, ended.error)
      assert.deepEqual(JSON.parse(ended.out), { kind: 'typed', input: 'from outside', args, cwd: scratch, major: 26 })
      assert.equal(ended.error, 'to the side\n')
    })

    test('exit codes pass through', async () => {
      const folder = checkout({ 'exit.ts': `process.exit(Number(process.argv[2]))` })
      for (const code of [0, 1, 3, 7, 255]) {
        assert.equal((await launch(folder, ['exit.ts', String(code)]).ended).code, code)
      }
    })

    test('an uncaught exception is exit code 1 and said', async () => {
      const folder = checkout({ 'throw.ts': `throw new Error('told')` })
      const { code, error } = await launch(folder, ['throw.ts']).ended
      assert.equal(code, 1)
      assert.match(error, /told/)
    })

    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) {
      test(`${signal} reaches the program, once, and its answer counts`, async () => {
        const program = `let times = 0
process.on('${signal}', () => { times++; console.log('heard'); setTimeout(() => process.exit(40 + times), 200) })
setInterval(() => undefined, 1000)
console.log('ready')
`
        const started = launch(checkout({ 'listen.ts': program }), ['listen.ts'])
        await started.said('ready')
        started.child.kill(signal)
        const { code, out } = await started.ended
        assert.deepEqual({ code, out }, { code: 41, out: 'ready\nheard\n' })
      })
    }

    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGINT']) {
      test(`a program ended by ${signal} ends the launcher so`, async () => {
        const folder = checkout({ 'die.ts': `process.kill(process.pid, '${signal}'); setInterval(() => undefined, 1000)` })
        const ended = await launch(folder, ['die.ts']).ended
        assert.deepEqual({ code: ended.code, signal: ended.signal }, { code: null, signal })
      })
    }

    test('without a file it says how it is used', async () => {
      const { code, error } = await launch(checkout(), []).ended
      assert.equal(code, 1)
      assert.match(error, /usage: run\.mjs FILE/)
    })

    test('QUORATE_NODE names another Node', async () => {
      const folder = checkout({ 'which.ts': `console.log(process.execPath)` })
      const other = join(folder, 'my node')
      cpSync(process.execPath, other)
      const env = cleanEnvironment({ QUORATE_NODE: other })
      assert.equal((await launch(folder, ['which.ts'], { env }).ended).out, `${other}\n`)
      const { code, error } = await launch(folder, ['which.ts'], { env: cleanEnvironment({ QUORATE_NODE: join(folder, 'none') }) }).ended
      assert.equal(code, 1)
      assert.match(error, /QUORATE_NODE/)
    })
  })
}

test('bin/quorate runs through links from any folder', async () => {
  const folder = checkout({ 'src/main/quorate.ts': `console.log('quorate', ...process.argv.slice(2)); process.exitCode = 3` })
  const links = join(folder, 'links of mine')
  mkdirSync(links)
  symlinkSync('../bin/quorate', join(links, 'first'))
  symlinkSync(join(links, 'first'), join(links, 'second'))
  for (const command of [join(folder, 'bin/quorate'), join(links, 'first'), join(links, 'second')]) {
    // The launcher needs some Node in PATH; here it is this one.
    const env = cleanEnvironment({ PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}` })
    const { code, out, error } = await begin(command, ['ls', 'a b'], { cwd: links, env }).ended
    assert.deepEqual({ code, out }, { code: 3, out: 'quorate ls a b\n' }, error)
  }
})

const LOCK = JSON.stringify({
  lockfileVersion: 3,
  packages: {
    '': { name: 'x' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/here': { version: '1.0.0', integrity: 'sha512-b', optional: true, os: [process.platform], cpu: [process.arch] },
    'node_modules/elsewhere': { version: '1.0.0', integrity: 'sha512-c', optional: true, os: ['aix'], cpu: ['ppc64'] },
    'node_modules/maybe': { version: '1.0.0', integrity: 'sha512-d', optional: true },
  },
})

describe('packages', () => {
  /** A folder for PATH with an npm that counts its runs, takes a while, and leaves what `npm ci` leaves. */
  function fakeNpm({ code = 0, waits = '', leaves = 'cp package-lock.json node_modules/.package-lock.json' } = {}): {
    readonly env: NodeJS.ProcessEnv
    runs(): number
  } {
    const folder = join(scratch, `npm ${++trees}`)
    mkdirSync(folder)
    const log = join(folder, 'log')
    writeFileSync(
      join(folder, 'npm'),
      `#!/bin/sh\necho "$*" >>'${log}'\necho 'npm talks'\n${waits}\nrm -rf node_modules\nmkdir node_modules\n${leaves}\nexit ${code}\n`,
    )
    chmodSync(join(folder, 'npm'), 0o755)
    return {
      env: cleanEnvironment({ PATH: `${folder}${delimiter}${process.env['PATH']}`, QUORATE_NODE: process.execPath }),
      runs: () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').length : 0),
    }
  }

  const program = { 'run.ts': `console.log('ran')` }
  const launch = (folder: string, env: NodeJS.ProcessEnv): Started =>
    begin(process.execPath, [join(folder, 'bin/run.mjs'), 'run.ts'], { env })
  const left = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('.installing'))

  test('are installed once, without a word on standard output, and again when the lockfile changes', async () => {
    const folder = checkout(program, { packages: false })
    const npm = fakeNpm()
    for (let turn = 0; turn < 3; turn++) assert.equal((await launch(folder, npm.env).ended).out, 'ran\n')
    assert.equal(npm.runs(), 1)
    writeFileSync(join(folder, 'package-lock.json'), LOCK.replace('1.0.0', '1.0.1'))
    assert.equal((await launch(folder, npm.env).ended).out, 'ran\n')
    assert.equal(npm.runs(), 2)
    assert.deepEqual(left(folder), [])
  })

  test('are installed by one of several starts at once', async () => {
    const folder = checkout(program, { packages: false })
    const npm = fakeNpm({ waits: 'sleep 1' })
    const ended = await Promise.all(Array.from({ length: 4 }, () => launch(folder, npm.env).ended))
    assert.deepEqual(
      ended.map(({ out }) => out),
      Array.from({ length: 4 }, () => 'ran\n'),
    )
    assert.equal(npm.runs(), 1)
    assert.deepEqual(left(folder), [])
  })

  test('that cannot be installed are said, and the next start tries again', async () => {
    const folder = checkout(program, { packages: false })
    const { code, out, error } = await launch(folder, fakeNpm({ code: 1, leaves: '' }).env).ended
    assert.deepEqual({ code, out }, { code: 1, out: '' })
    assert.match(error, /npm ci failed/)
    assert.deepEqual(left(folder), [])
    const npm = fakeNpm()
    assert.equal((await launch(folder, npm.env).ended).out, 'ran\n')
    assert.equal(npm.runs(), 1)
  })

  test('left out by an old npm are missed', async () => {
    const folder = checkout(program, { packages: false })
    const leaves = `sed 's/here/nowhere/' package-lock.json >node_modules/.package-lock.json`
    const { code, error } = await launch(folder, fakeNpm({ leaves }).env).ended
    assert.equal(code, 1)
    assert.match(error, /npm left out packages/)
    assert.deepEqual(left(folder), [])
  })

  test('without npm that is said', async () => {
    const folder = checkout(program, { packages: false })
    const { code, error } = await launch(folder, cleanEnvironment({ PATH: '' })).ended
    assert.equal(code, 1)
    assert.match(error, /npm could not be started/)
  })

  test('are installed after a start that was killed while it installed', async () => {
    const folder = checkout(program, { packages: false })
    const npm = fakeNpm({ waits: '[ "$KILLED" ] || { touch installing; exec sleep 2; }' })
    const killed = launch(folder, npm.env)
    while (!existsSync(join(folder, 'installing'))) await new Promise((done) => setTimeout(done, 10))
    killed.child.kill('SIGKILL')
    await once(killed.child, 'exit')
    assert.deepEqual(left(folder), ['.installing'])
    assert.equal((await launch(folder, { ...npm.env, KILLED: '1' }).ended).out, 'ran\n')
    assert.deepEqual(left(folder), [])
  })

  test('that npm has installed by itself are taken as they are', async () => {
    const folder = checkout({ ...program, 'node_modules/.package-lock.json': LOCK }, { packages: false })
    const npm = fakeNpm()
    assert.equal((await launch(folder, npm.env).ended).out, 'ran\n')
    assert.equal(npm.runs(), 0)
    for (const other of [
      LOCK.replace('1.0.0', '0.9.0'),
      LOCK.replace('sha512-a', 'sha512-z'),
      LOCK.replace('here', 'nowhere'),
      '{"packages":{}}',
      'no JSON',
    ]) {
      const older = checkout({ ...program, 'node_modules/.package-lock.json': other }, { packages: false })
      const runs = npm.runs()
      assert.equal((await launch(older, npm.env).ended).out, 'ran\n')
      assert.equal(npm.runs(), runs + 1, other)
    }
  })

  test('are installed by the npm that started us', async () => {
    const folder = checkout(program, { packages: false })
    const own = join(folder, 'npm-cli.js')
    writeFileSync(
      own,
      `import { cpSync, mkdirSync, writeFileSync } from 'node:fs'\nmkdirSync('node_modules')\ncpSync('package-lock.json', 'node_modules/.package-lock.json')\nwriteFileSync('by-us', process.argv[2])\n`,
    )
    assert.equal((await launch(folder, { ...fakeNpm().env, npm_execpath: own }).ended).out, 'ran\n')
    assert.equal(readFileSync(join(folder, 'by-us'), 'utf8'), 'ci')
  })

  test(
    'whose Node lacks a library are said to, until it is there',
    { skip: process.platform !== 'linux' && 'libraries of Linux' },
    async () => {
      const folder = checkout({ ...program, 'node_modules/.package-lock.json': LOCK }, { packages: false })
      const packaged = join(folder, `node_modules/node-linux-${process.arch}/bin/node`)
      mkdirSync(dirname(packaged), { recursive: true })
      writeFileSync(packaged, `#!/bin/sh\necho 'node: error while loading shared libraries: libatomic.so.1: cannot open' >&2\nexit 127\n`)
      chmodSync(packaged, 0o755)
      for (let turn = 0; turn < 2; turn++) {
        const { code, error } = await launch(folder, cleanEnvironment()).ended
        assert.equal(code, 1)
        assert.match(error, /apt-get install libatomic1/)
      }
      rmSync(packaged)
      symlinkSync(process.execPath, packaged)
      assert.equal((await launch(folder, cleanEnvironment()).ended).out, 'ran\n')
    },
  )

  test(
    'of a checkout that cannot be written are used where they are there',
    { skip: process.getuid?.() === 0 && 'root may write everywhere' },
    async () => {
      const folder = checkout({ ...program, 'node_modules/.package-lock.json': LOCK }, { packages: false })
      const without = checkout(program, { packages: false })
      for (const path of [join(folder, 'node_modules'), folder, without]) chmodSync(path, 0o555)
      try {
        assert.equal((await launch(folder, fakeNpm().env).ended).out, 'ran\n')
        const { code, error } = await launch(without, fakeNpm().env).ended
        assert.equal(code, 1)
        assert.match(error, /cannot be written/)
      } finally {
        for (const path of [join(folder, 'node_modules'), folder, without]) chmodSync(path, 0o755)
      }
    },
  )
})
