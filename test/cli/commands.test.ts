// What each command sends, says and answers, over a door in memory.
import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { Failure } from '#base'
import { listing, problem, stored, status, task, vaultSummary, versions } from '#contract'
import { inside, scratch, type Inside } from './support.ts'

async function ok(cli: Inside, ...args: string[]): Promise<string> {
  const { code, out, errors } = await cli.quorate(args)
  assert.equal(code, 0, `${args.join(' ')}: ${out}${errors}`)
  return out
}

async function refused(cli: Inside, code: string, exit: number, ...args: string[]): Promise<string> {
  const answer = await cli.quorate([...args, '--json'])
  assert.equal(answer.code, exit, `${args.join(' ')}: ${answer.out}${answer.errors}`)
  assert.equal(problem.parse(JSON.parse(answer.errors)).code, code, answer.errors)
  return answer.errors
}

test('usage errors are 2, name the mistake and the next step, and reach no site', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  for (const args of [
    ['frobnicate'],
    ['put'],
    ['put', 'a'],
    ['put', 'a', 'relative'],
    ['ls', 'relative'],
    ['cat', '/a', '--range', '5-1'],
    ['cat', '/a', '--range', 'x'],
    ['cat', '/a', '--range', '-'],
    ['get', '/a', '--parallel', '0'],
    ['init'],
    ['init', 'folder:a'],
    ['init', '--layout', 'odd', 'folder:a', 'folder:b'],
    ['serve', '--host', '0.0.0.0'],
    ['serve', '--port', '70000'],
    ['mv', '/a'],
    ['location', 'frobnicate'],
    ['rm'],
    ['--wait', 'x', 'ls'],
    ['completion', 'tcsh'],
    ['recover', 'folder:a'],
    ['rm', '--version', '1', '/a', '/b'],
  ]) {
    const answer = await cli.quorate([...args, '--json'])
    assert.equal(answer.code, 2, args.join(' '))
    assert.equal(problem.parse(JSON.parse(answer.errors)).code, 'cli.usage', args.join(' '))
    const words = await cli.quorate(args)
    assert.match(words.errors, /^quorate: .*\(cli\.usage\)\n/, args.join(' '))
  }
  assert.deepEqual(
    cli.door.calls.filter((name) => name !== 'stat'),
    [],
  )
  for (const args of [[], ['location']]) assert.equal((await cli.quorate(args)).code, 2)
  assert.match((await cli.quorate(['lss'])).errors, /Did you mean ls/)
})

test('help and version need no site, and name the exit codes', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  const help = await ok(cli, '--help')
  for (const word of [
    'init',
    'location',
    'put',
    'get',
    'cat',
    'ls',
    'mv',
    'cp',
    'rm',
    'versions',
    'status',
    'scrub',
    'repair',
    'recover',
    'serve',
    'completion',
    '130',
  ]) {
    assert.ok(help.includes(word), word)
  }
  assert.ok(!help.includes('complete-path'))
  assert.match(await ok(cli, 'put', '--help'), /--if-absent[^]*--json/)
  assert.equal(await ok(cli, '-V'), '1.2.3\n')
  assert.deepEqual(cli.connects, [])
})

test('init resolves folders from where the person stands and keeps the typed name as label', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  let sent: unknown
  const original = { ...cli.door }
  cli.door.createVault = (request) => {
    sent = request
    return original.createVault(request)
  }
  const secret = join(at.folder, 'secret')
  await writeFile(secret, 'correct horse battery\n')
  const out = await ok(
    cli,
    'init',
    '--json',
    '--name',
    'Herz',
    '--layout',
    'sealed',
    '--require-all',
    '--passphrase-file',
    secret,
    'folder:a',
    'folder:/b',
    'folder:~/c',
    's3:https://x/y',
  )
  assert.deepEqual(sent, {
    name: 'Herz',
    threshold: 3,
    layout: 'sealed',
    requireAll: true,
    passphrase: 'correct horse battery',
    locations: [
      { spec: `folder:${at.folder}/a`, label: 'folder:a' },
      { spec: 'folder:/b', label: 'folder:/b' },
      { spec: 'folder:/person/c', label: 'folder:~/c' },
      { spec: 's3:https://x/y' },
    ],
  })
  assert.equal(vaultSummary.parse(JSON.parse(out)).threshold, 3)
  assert.equal(cli.connects[0]!.passphrase, 'correct horse battery')
  await refused(cli, 'storage.vault-exists', 1, 'init', 'folder:a', 'folder:b')
  await refused(cli, 'cli.file', 1, 'init', 'folder:a', 'folder:b', '--passphrase-file', join(at.folder, 'nothing'))
})

test('put knows into, onto, several, contents, standard input, and says each result', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  await writeFile(join(at.folder, 'one'), '1')
  await writeFile(join(at.folder, 'two'), '22')
  await mkdir(join(at.folder, 'tree/deep/empty'), { recursive: true })
  await writeFile(join(at.folder, 'tree/deep/leaf'), 'leaf')
  await writeFile(join(at.folder, 'tree/nothing'), '')
  const paths = async (): Promise<string[]> =>
    listing
      .parse(JSON.parse(await ok(cli, 'ls', '-r', '--json', '/')))
      .entries.map(({ kind, path }) => (kind === 'folder' ? `${path}/` : path))

  assert.match(await ok(cli, 'put', 'one', '/name'), /^\/name {2}1 B {2}version 1: stored at 3 of 3 locations\n$/)
  await ok(cli, 'put', 'one', '/into/')
  await ok(cli, 'put', 'two', '/into')
  await ok(cli, 'put', 'one', 'two', '/into')
  await ok(cli, 'put', 'tree', '/copy')
  await ok(cli, 'put', 'tree', '/into')
  await ok(cli, 'put', 'tree/.', '/into')
  assert.deepEqual(await paths(), [
    '/copy/',
    '/copy/deep/',
    '/copy/deep/empty/',
    '/copy/deep/leaf',
    '/copy/nothing',
    '/into/',
    '/into/deep/',
    '/into/deep/empty/',
    '/into/deep/leaf',
    '/into/nothing',
    '/into/one',
    '/into/tree/',
    '/into/tree/deep/',
    '/into/tree/deep/empty/',
    '/into/tree/deep/leaf',
    '/into/tree/nothing',
    '/into/two',
    '/name',
  ])
  const lines = (await ok(cli, 'put', 'tree', '/json', '--json')).trim().split('\n')
  assert.deepEqual(lines.map((line) => stored.parse(JSON.parse(line)).entry.path).toSorted(), ['/json/deep/leaf', '/json/nothing'])

  async function* input(): AsyncIterable<Uint8Array> {
    yield Buffer.from('from ')
    yield Buffer.from('standard input')
  }
  assert.equal((await cli.quorate(['put', '-', '/in'], input())).code, 0)
  assert.equal((await cli.quorate(['cat', '/in'])).out, 'from standard input')
  await refused(cli, 'cli.usage', 2, 'put', '-', '/into')
  await refused(cli, 'cli.usage', 2, 'put', '-', 'one', '/x')
  await refused(cli, 'cli.usage', 2, 'put', 'one', 'two', '/name')
  await refused(cli, 'storage.exists', 1, 'put', '--if-absent', 'one', '/name')
  await refused(cli, 'cli.file', 1, 'put', 'absent', '/x')
})

test('put says what it skips, goes on past a bad file, and stops at a bad vault', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  await mkdir(join(at.folder, 'tree'))
  await writeFile(join(at.folder, 'tree/good'), 'good')
  await symlink('good', join(at.folder, 'tree/link'))
  execFileSync('mkfifo', [join(at.folder, 'tree/pipe')])
  await writeFile(Buffer.concat([Buffer.from(`${at.folder}/tree/`), Buffer.from([0xff, 0x41])]), 'name that is not UTF-8')
  await writeFile(join(at.folder, 'tree/\u00e9'), 'composed')
  await writeFile(join(at.folder, 'tree/e\u0301'), 'decomposed')
  const answer = await cli.quorate(['put', 'tree', '/'])
  assert.equal(answer.code, 0)
  assert.match(answer.errors, /Skipped .*link: symbolic links are not followed/)
  assert.match(answer.errors, /Skipped .*pipe: it is a pipe, socket or device/)
  assert.match(answer.errors, /Skipped .*: its name is not UTF-8/)
  assert.match(answer.errors, /Skipped .*: another file here has the same name in Unicode NFC/)
  assert.match(answer.out, /^2 files stored, .*; 4 skipped\n$/)
  await refused(cli, 'cli.file', 1, 'put', 'tree/link', '/x')
  await refused(cli, 'cli.file', 1, 'put', 'tree/pipe', '/x')

  cli.door.refuse('openToWrite', new Failure('storage.path'))
  const both = await cli.quorate(['put', 'tree/good', 'tree/good', '/into/', '--json'])
  assert.deepEqual([both.code, both.errors.trim().split('\n').length], [1, 2])
  cli.door.refuse('openToWrite', new Failure('storage.quorum', { culprits: ['west'] }))
  const first = await cli.quorate(['put', 'tree/good', 'tree/good', 'tree/good', '/into/', '--json', '--parallel', '1'])
  assert.deepEqual([first.code, first.errors.trim().split('\n').length], [1, 1])
})

test('a file that changes while it is read is refused, and nothing of it is stored', async () => {
  await using at = await scratch()
  const path = join(at.folder, 'growing')
  for (const change of [
    () => writeFile(path, Buffer.alloc(5_000_000)),
    () => writeFile(path, Buffer.alloc(100)),
    () => utimes(path, 1, 1),
    async () => execFileSync('sh', ['-c', `cp "${path}" "${path}.new" && mv "${path}.new" "${path}"`]),
    async () => execFileSync('rm', [path]),
  ]) {
    const cli = inside(at.folder)
    await writeFile(path, Buffer.alloc(4_000_000))
    let seen = 0
    const original = { ...cli.door }
    cli.door.openToWrite = async (request) => {
      const grant = await original.openToWrite(request)
      return {
        store: (body, signal) => {
          async function* changed(): AsyncIterable<Uint8Array> {
            for await (const part of body) {
              if (seen++ === 0) await change()
              yield part
            }
          }
          return grant.store(changed(), signal)
        },
      }
    }
    await refused(cli, 'storage.source-changed', 1, 'put', 'growing', '/growing')
    assert.equal(cli.door.bytesOf('/growing'), undefined)
  }
})

test('get writes whole files under their names, with their times, and replaces only when told', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  cli.door.put('/a/one', Buffer.from('1'))
  cli.door.put('/a/b/two', Buffer.from('22'))
  await cli.door.createFolder({ path: '/a/empty' })
  const here = (name: string): Promise<string> => readFile(join(at.folder, name), 'utf8')

  await ok(cli, 'get', '/a/one')
  await ok(cli, 'get', '/a/one', 'renamed')
  await ok(cli, 'get', '/a/one', 'made/')
  assert.deepEqual([await here('one'), await here('renamed'), await here('made/one')], ['1', '1', '1'])
  assert.equal((await stat(join(at.folder, 'one'))).mtime.toISOString(), '2026-01-02T03:04:05.000Z')
  await ok(cli, 'get', '/a', 'copy')
  await ok(cli, 'get', '/a', 'made')
  assert.deepEqual([await here('copy/b/two'), await here('made/a/b/two')], ['22', '22'])
  assert.deepEqual(await readdir(join(at.folder, 'copy/empty')), [])
  await ok(cli, 'get', '/', 'all')
  assert.equal(await here('all/a/one'), '1')

  await writeFile(join(at.folder, 'one'), 'mine')
  await refused(cli, 'cli.file', 1, 'get', '/a/one')
  assert.equal(await here('one'), 'mine')
  await ok(cli, 'get', '--force', '/a/one')
  assert.equal(await here('one'), '1')
  await mkdir(join(at.folder, 'folder/one'), { recursive: true })
  await refused(cli, 'cli.file', 1, 'get', '--force', '/a/one', 'folder')
  assert.equal((await cli.quorate(['get', '/a/one', '-'])).out, '1')
  const row = JSON.parse(await ok(cli, 'get', '--json', '/a/b/two')) as object
  assert.deepEqual(row, { path: '/a/b/two', version: 1, file: join(at.folder, 'two'), size: 2 })
  const left = await readdir(at.folder, { recursive: true })
  assert.deepEqual(
    left.filter((name) => name.includes('.part')),
    [],
  )
})

test('a get that fails leaves neither a file nor a part, and a part of a crash is replaced', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  cli.door.put('/a/bad', Buffer.alloc(1_000_000))
  cli.door.put('/a/good', Buffer.from('good'))
  cli.door.failAfter('/a/bad', 300_000)
  await refused(cli, 'format.record', 4, 'get', '/a/bad')
  assert.deepEqual(await readdir(at.folder), [])
  const tree = await cli.quorate(['get', '/a', 'tree'])
  assert.equal(tree.code, 4)
  assert.deepEqual(await readdir(join(at.folder, 'tree')), ['good'])

  // What a killed run leaves has a name that the next run finds by itself.
  let part = ''
  const original = { ...cli.door }
  cli.door.openToRead = async (request) => {
    part = (await readdir(at.folder)).find((name) => name.endsWith('.part')) ?? ''
    return original.openToRead(request)
  }
  await ok(cli, 'get', '/a/good')
  assert.match(part, /^\.quorate-[0-9a-f]{16}\.part$/)
  await writeFile(join(at.folder, part), 'left by a crash')
  await ok(cli, 'get', '--force', '/a/good')
  assert.equal(await readFile(join(at.folder, 'good'), 'utf8'), 'good')
  assert.ok(!(await readdir(at.folder)).includes(part))
})

test('names of a hostile vault never leave the destination', async () => {
  await using at = await scratch()
  await mkdir(join(at.folder, 'outside'))
  for (const name of ['..', '../outside/x', '.', '', 'a/../../outside/x', '/etc/x', 'a\u0000b']) {
    const cli = inside(at.folder)
    cli.door.put('/v/good', Buffer.from('good'))
    cli.door.put('/evil', Buffer.from('evil'))
    const original = { ...cli.door }
    cli.door.list = async (request) => {
      const page = await original.list(request)
      const file = page.entries.find((entry) => entry.kind === 'file')!
      return { ...page, entries: [...page.entries, { ...file, path: `/v/${name}`, name }] }
    }
    cli.door.openToRead = (request) => original.openToRead(request.path === '/v/good' ? request : { path: '/evil' })
    const answer = await cli.quorate(['get', '/v', `dest-${Buffer.from(name).toString('hex')}`])
    assert.equal(answer.code, 1, JSON.stringify(name))
  }
  assert.deepEqual(await readdir(join(at.folder, 'outside')), [])
})

test('a symbolic link in the destination is not followed', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  cli.door.put('/v/link/x', Buffer.from('evil'))
  await mkdir(join(at.folder, 'outside'))
  await mkdir(join(at.folder, 'dest/v'), { recursive: true })
  await symlink(join(at.folder, 'outside'), join(at.folder, 'dest/v/link'))
  const answer = await cli.quorate(['get', '/v', 'dest'])
  assert.equal(answer.code, 1)
  assert.match(answer.errors, /symbolic link, which could lead elsewhere. \(cli\.file\)/)
  assert.deepEqual(await readdir(join(at.folder, 'outside')), [])
})

test('names cannot drive the terminal', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  cli.door.put('/\u001b[2Jred\u202egpj\n', Buffer.from(''))
  assert.equal(await ok(cli, 'ls', '/'), '\\u{1b}[2Jred\\u{202e}gpj\\u{a}\n')
})

test('cat writes bytes, ranges and versions as they are', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  const bytes = Buffer.from(Uint8Array.from({ length: 1000 }, (_, index) => index % 251))
  cli.door.put('/a', Buffer.from('old'))
  cli.door.put('/a', bytes)
  for (const [args, expected] of [
    [[], bytes],
    [['--range', '10-19'], bytes.subarray(10, 20)],
    [['--range', '990-'], bytes.subarray(990)],
    [['--range', '-5'], bytes.subarray(995)],
    [['--range=-5'], bytes.subarray(995)],
    [['--range', '0-999999'], bytes],
    [['--version', '1'], Buffer.from('old')],
  ] as const) {
    assert.deepEqual((await cli.quorate(['cat', '/a', ...args])).bytes, expected, args.join(' '))
  }
  await refused(cli, 'storage.range', 1, 'cat', '/a', '--range', '1000-')
  await refused(cli, 'storage.absent', 1, 'cat', '/nothing')
})

test('ls lists pages without end as one document, and for people', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  for (let index = 0; index < 2500; index++) cli.door.put(`/many/${String(index).padStart(4, '0')}`, Buffer.from(''))
  assert.equal(listing.parse(JSON.parse(await ok(cli, 'ls', '/many', '--json'))).entries.length, 2500)
  assert.equal((await ok(cli, 'ls', '/many')).split('\n').length, 2501)
  assert.equal(await ok(cli, 'ls'), 'many/\n')
  assert.match(await ok(cli, 'ls', '-l', '/many/0001'), /^0 B {2}redundant {2}2026-01-02 03:04:05 {2}v1 {2}0001\n$/)
  assert.match(await ok(cli, 'ls', '-r'), /^many\/\nmany\/0000\n/)
  await refused(cli, 'storage.absent', 1, 'ls', '/nothing')
})

test('mv, cp, rm and versions', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  cli.door.put('/a', Buffer.from('a'))
  cli.door.put('/f/b', Buffer.from('b'))
  assert.equal(await ok(cli, 'cp', '/a', '/f'), '/a -> /f/a\n')
  await refused(cli, 'storage.exists', 1, 'mv', '/a', '/f/b')
  await ok(cli, 'mv', '--force', '/a', '/f/b')
  assert.equal((await cli.quorate(['cat', '/f/b'])).out, 'a')
  await refused(cli, 'storage.absent', 1, 'mv', '/f/b', '/absent/')
  await refused(cli, 'cli.usage', 2, 'mv', '/f/a', '/f/b', '/absent')
  assert.equal(versions.parse(JSON.parse(await ok(cli, 'versions', '/f/b', '--json'))).versions.length, 1)
  assert.match(await ok(cli, 'versions', '/f/b'), /^version +size/)
  await refused(cli, 'storage.exists', 1, 'rm', '/f')
  assert.deepEqual(JSON.parse(await ok(cli, 'rm', '-r', '--json', '/f')), { path: '/f', removed: 2, trash: null })
  await refused(cli, 'storage.absent', 1, 'rm', '/f')
})

test('status is checked live and its exit code is the health', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  await refused(cli, 'storage.no-vault', 1, 'location', 'list')
  assert.equal((await cli.quorate(['status'])).code, 1)
  await ok(cli, 'init', 'folder:a', 'folder:b')
  status.parse(JSON.parse(await ok(cli, 'status', '--json')))
  assert.equal(cli.door.calls.at(-1), 'status checked')
  await ok(cli, 'status', '--no-check')
  assert.equal(cli.door.calls.at(-1), 'status')
  const now = await cli.door.status({ check: false })
  for (const [health, code] of [
    ['healthy', 0],
    ['degraded', 3],
    ['unreadable', 4],
  ] as const) {
    cli.door.status = async () => ({ ...now, health })
    assert.equal((await cli.quorate(['status'])).code, code)
  }
})

test('long work is watched to its end and its findings are the exit code', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  const done = await cli.door.scrub({ depth: 'tags' })
  task.parse(JSON.parse(await ok(cli, 'scrub', '--json')))
  await ok(cli, 'repair')
  await ok(cli, 'recover', 'folder:a', 'folder:b')
  let looks = 0
  cli.door.scrub = async () => ({ ...done, state: 'running' })
  cli.door.task = async () => ({ ...done, state: ++looks < 3 ? 'running' : 'done' })
  await ok(cli, 'scrub')
  assert.equal(looks, 3)
  const finding = { location: 'west', path: '/a', fragment: 'ab/cd', detail: 'flipped' } as const
  const report = { ...done.report!, findings: [{ ...finding, kind: 'corrupt' as const }] }
  cli.door.task = async () => ({ ...done, report })
  const found = await cli.quorate(['scrub'])
  assert.equal(found.code, 3)
  assert.match(found.out, /corrupt {2}west {2}\/a {2}flipped/)
  cli.door.task = async () => ({ ...done, report: { ...report, findings: [{ ...finding, kind: 'unreadable' as const }] } })
  assert.equal((await cli.quorate(['scrub'])).code, 4)
  const trouble = {
    ...JSON.parse(await refused(cli, 'storage.absent', 1, 'ls', '/x')),
    code: 'storage.repair',
    detail: 'two could not be written',
  } as never
  cli.door.task = async () => ({ ...done, state: 'failed', problem: trouble })
  const failed = await cli.quorate(['scrub'])
  assert.equal(failed.code, 1)
  assert.match(failed.errors, /two could not be written\. \(storage\.repair\)/)
})

test('location test goes on past a location that fails, and tells liars from the absent', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  const honest = await cli.door.testLocation({ location: 'west' })
  assert.equal((await cli.quorate(['location', 'test', 'west', 'east'])).code, 0)
  cli.door.testLocation = async ({ location }) => (location === 'west' ? { ...honest, findings: ['a second write won'] } : honest)
  const lying = await cli.quorate(['location', 'test', 'west', 'east'])
  assert.equal(lying.code, 3)
  assert.match(lying.out, /^west: does not keep its promises.*\n  a second write won\neast: keeps its promises/)
  cli.door.testLocation = async ({ location }) => {
    if (location === 'west') throw new Failure('location.unreachable', { detail: 'west is away', culprits: ['west'] })
    return honest
  }
  const away = await cli.quorate(['location', 'test', 'west', 'east'])
  assert.deepEqual([away.code, away.errors.split('\n')[0]], [1, 'quorate: west is away. (location.unreachable)'])
  assert.match(away.out, /^east: keeps/)
})

test('a signal cancels the task at the site', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  const done = await cli.door.scrub({ depth: 'tags' })
  cli.door.scrub = async () => ({ ...done, state: 'running' })
  cli.door.task = async () => {
    cli.stop.abort()
    return { ...done, state: 'running' }
  }
  cli.door.cancelTask = async () => ({ ...done, state: 'cancelled' })
  const answer = await cli.quorate(['scrub', '--json'])
  assert.equal(answer.code, 1)
  assert.equal(task.parse(JSON.parse(answer.out)).state, 'cancelled')
})

test('a signal in the middle of put and get leaves nothing', async () => {
  await using at = await scratch()
  const putting = inside(at.folder)
  async function* endless(): AsyncIterable<Uint8Array> {
    yield Buffer.from('the beginning')
    putting.stop.abort()
    await new Promise(() => {})
  }
  const put = await putting.quorate(['put', '-', '/a'], endless())
  assert.equal(put.code, 1)
  assert.match(put.errors, /Interrupted/)
  assert.equal(putting.door.bytesOf('/a'), undefined)
  assert.equal(putting.door.dropped.length, 1)

  const getting = inside(at.folder)
  getting.door.put('/a', Buffer.alloc(2_000_000))
  const original = { ...getting.door }
  getting.door.openToRead = async (request) => {
    const grant = await original.openToRead(request)
    return {
      ...grant,
      async *read(range, signal) {
        for await (const part of grant.read(range, signal)) {
          yield part
          getting.stop.abort()
        }
      },
    }
  }
  assert.equal((await getting.quorate(['get', '/a'])).code, 1)
  assert.deepEqual(await readdir(at.folder), [])
  assert.equal(getting.door.openGrants(), 0)
})

test('progress is shown where it is asked for, and nowhere else', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  await writeFile(join(at.folder, 'file'), Buffer.alloc(3_000_000))
  assert.equal((await cli.quorate(['put', 'file', '/a'])).errors, '')
  assert.match((await cli.quorate(['put', 'file', '/a', '--progress'])).errors, /2\.9 MiB of 2\.9 MiB {2}100%/)
  assert.match((await cli.quorate(['get', '/a', 'back', '--progress'])).errors, /2\.9 MiB of 2\.9 MiB {2}100%/)
})

test('a file that may not be read is named', { skip: process.getuid?.() === 0 }, async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  await writeFile(join(at.folder, 'locked'), 'x')
  await chmod(join(at.folder, 'locked'), 0)
  assert.match(await refused(cli, 'cli.file', 1, 'put', 'locked', '/a'), /permission denied/)
})
