// The package as others get it: packed, installed into an empty project, and the examples of the README run there.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { startProgram, type Program } from '../e2e/program.ts'
import { pack } from '../../scripts/pack.ts'
import { servePackages } from './packages.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'quorate-packed-')))
const project = join(folder, 'project')
const LINES_MAX = 24
const RUN_MS = 180_000
const FRAGMENT = /(?:^|\/)[0-9a-f]{32}$/

let program: Program | undefined

before(async () => {
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'another-product', private: true, type: 'module' }))
  const file = pack(folder)
  await using packages = await servePackages()
  // Peers that are optional, and builds for other machines, are not wanted.
  await run('npm', [
    'install',
    file,
    '--ignore-scripts',
    '--omit=optional',
    '--no-audit',
    '--no-fund',
    '--registry',
    packages.url,
    '--cache',
    join(folder, 'npm-cache'),
  ])
  assert.ok(packages.asked.has('zod') && !packages.asked.has('react'), 'what it needs, and nothing of the page')
})

after(async () => {
  await program?.stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('nothing goes in but JavaScript, its types, and what the kit gives away; no name of this machine', () => {
  const inside = join(project, 'node_modules/quorate')
  const files = globSync('**/*', { cwd: inside, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
  assert.ok(files.length > 150)
  for (const file of files) {
    assert.match(file, /\.(?:js|d\.ts|json|md|py|html)$|\/(?:LICENSE|NOTICE)$/)
    assert.doesNotMatch(file, /\.test\.|\/dist\/(?:cli\/program|web|test)\b/)
    const text = readFileSync(file, 'utf8')
    assert.ok(!text.includes(root), file)
    if (file.endsWith('.js')) assert.doesNotMatch(text, /(?:from|import\()\s*['"][^'"]*\.ts['"]|new URL\(['"][^'"]*\.ts['"]/, file)
  }
  const {
    private: hidden,
    exports,
    dependencies,
  } = JSON.parse(readFileSync(join(inside, 'package.json'), 'utf8')) as Record<string, object>
  assert.equal(hidden, undefined)
  assert.deepEqual(Object.keys(exports!), ['./vault', './client', './package.json'])
  for (const name of ['fastify', 'commander', '@clack/prompts', '@fastify/static']) assert.ok(!(name in dependencies!), name)
})

test('nobody comes in but by the two doors', async () => {
  for (const name of ['quorate', 'quorate/dist/storage/vault.js', 'quorate/src/embed/vault.ts']) {
    const { code, errors } = await node(['--input-type=module', '--eval', `await import('${name}')`])
    assert.notEqual(code, 0)
    assert.match(errors, /ERR_PACKAGE_PATH_NOT_EXPORTED/, name)
  }
})

test('README, in your own process: contracts; a location is damaged and healed, another vanishes', async () => {
  const lease = randomBytes(700_001)
  writeFileSync(join(project, 'lease.pdf'), lease)
  example('contracts.mjs')
  const first = await node(['contracts.mjs'])
  assert.equal(first.code, 0, first.errors)
  assert.match(first.out, /1024 of 700001 bytes/)
  assert.match(first.out, /0 fragments written again/)
  assert.deepEqual(readFileSync(join(project, 'back.pdf')), lease)

  const harmed = damage(join(project, 'b'))
  assert.ok(harmed.size > 0)
  rmSync(join(project, 'back.pdf'))
  const second = await node(['contracts.mjs'])
  assert.equal(second.code, 0, second.errors)
  assert.match(second.out, /b corrupt \/leases\/2026\/lease\.pdf/)
  assert.deepEqual(readFileSync(join(project, 'back.pdf')), lease)

  // Healed for good: without another location it is b that has to be right.
  renameSync(join(project, 'a'), join(project, 'a-away'))
  const third = await node(['--input-type=module', '--eval', READ_BACK])
  assert.equal(third.code, 0, third.errors)
  assert.deepEqual(readFileSync(join(project, 'back.pdf')), lease)
  renameSync(join(project, 'a-away'), join(project, 'a'))
  const fourth = await node(['contracts.mjs'])
  assert.equal(fourth.code, 0, fourth.errors)
  assert.doesNotMatch(fourth.out, /corrupt/)
  assert.match(fourth.out, /0 fragments written again/)
})

const READ_BACK = `
import { writeFile } from 'node:fs/promises'
import { openVault } from 'quorate/vault'
await using vault = await openVault({ home: './contracts-home' })
const { locations } = await vault.status({ check: true })
if (!locations.some(({ state }) => state === 'unreachable' || state === 'empty')) throw new Error('nobody is away')
await writeFile('back.pdf', await (await vault.read('/leases/2026/lease.pdf', { version: 1 })).bytes())
`

test('README, at a running site: photos over its socket', { timeout: RUN_MS }, async () => {
  const photo = randomBytes(1_300_000)
  writeFileSync(join(project, 'harbour.jpg'), photo)
  const home = join(folder, 'home')
  program = await startProgram({ home })
  const env = { QUORATE_HOME: home }
  const made = await node(
    [
      '--input-type=module',
      '--eval',
      `import { connect } from 'quorate/client'
     const site = connect({ home: process.env.QUORATE_HOME })
     await site.api.createVault({ threshold: 2, locations: ['x', 'y', 'z'].map((name) => ({ spec: 'folder:${folder}/' + name })) })
     site.close()`,
    ],
    env,
  )
  assert.equal(made.code, 0, made.errors)
  example('photos.mjs')
  const { code, out, errors } = await node(['photos.mjs'], env)
  assert.equal(code, 0, errors)
  assert.match(out, /stored at 3 of 3 locations/)
  assert.match(out, /healthy/)
  assert.deepEqual(readFileSync(join(project, 'harbour-back.jpg')), photo)
})

test('a program in TypeScript is checked against the types of the package', { timeout: RUN_MS }, async () => {
  writeFileSync(
    join(project, 'typed.ts'),
    `import { connect, isFailure, type Entry } from 'quorate/client'
import { openVault, type Vault } from 'quorate/vault'
const vault: Vault = await openVault({ home: 'h', make: { threshold: 2, locations: ['folder:a', 'folder:b'] } })
const stored = await vault.store('/a', new Uint8Array(3), { type: 'text/plain' })
const entry: Entry = stored.entry
export const size: number = entry.size
const site = connect({ url: 'https://site.example/', token: 'x' })
const health: 'none' | 'healthy' | 'degraded' | 'unreadable' = (await site.status()).health
export const caught = (error: unknown): string | undefined => (isFailure(error, 'storage.absent') ? error.next : health)
// @ts-expect-error there is no such code
isFailure(undefined, 'storage.nonsense')
// @ts-expect-error a threshold is a number
await openVault({ home: 'h', make: { threshold: '2', locations: [] } })
`,
  )
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2024',
    '--module',
    'nodenext',
    '--skipLibCheck',
    'false',
    '--typeRoots',
    join(root, 'node_modules/@types'),
    '--types',
    'node',
  ]
  const { code, out } = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, 'typed.ts'], {
    mayFail: true,
  })
  // What packages say of themselves is theirs to keep right.
  const ours = out.split('\n').filter((line) => /error TS/.test(line) && !/node_modules\/(?!quorate\/)/.test(line))
  assert.deepEqual(ours, [], out)
  if (code !== 0) assert.match(out, /node_modules/)
})

/** A block of the README that begins with its name. */
function example(name: string): void {
  const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(([, text = '']) => text)
  const text = blocks.find((block) => block.startsWith(`// ${name}\n`))
  assert.ok(text, `the README has ${name}`)
  assert.ok(text.split('\n').length <= LINES_MAX, `${name} is short`)
  writeFileSync(join(project, name), text)
}

/** A byte in the middle of each fragment of the place. */
function damage(place: string): Set<string> {
  const names = readdirSync(place, { recursive: true, encoding: 'utf8' }).filter(
    (one) => FRAGMENT.test(one) && statSync(join(place, one)).isFile(),
  )
  for (const name of names) {
    const bytes = readFileSync(join(place, name))
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(join(place, name), bytes)
  }
  return new Set(names)
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly errors: string
}

function node(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return run(process.execPath, args, { env, mayFail: true })
}

async function run(
  program: string,
  args: readonly string[],
  { env = {}, mayFail = false }: { env?: Record<string, string>; mayFail?: boolean } = {},
): Promise<Ended> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`
  const child = spawn(program, args, {
    cwd: project,
    env: { ...process.env, ...env, PATH: path, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS,
  })
  let [out, errors] = ['', '']
  child.stdout.on('data', (part: Buffer) => (out += part.toString()))
  child.stderr.on('data', (part: Buffer) => (errors += part.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0 && !mayFail) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${out}${errors}`)
  return { code, out, errors }
}
