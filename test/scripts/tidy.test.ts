// The tidiness check catches each kind of untidiness, and this repository has none.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { mayUse, rooms } from '../../scripts/tidy/rooms.ts'
import { importsOf, readSource } from '../../scripts/tidy/source.ts'
import { tidy } from '../../scripts/tidy.ts'

const scratch = mkdtempSync(join(tmpdir(), 'quorate-tidy-'))
after(() => rmSync(scratch, { recursive: true, force: true }))
let trees = 0

const FACES = [
  '#base',
  '#crypto',
  '#crypto/primitives',
  '#format',
  '#contract',
  '#database',
  '#storage',
  '#audit',
  '#governance',
  '#access',
  '#gateways/api',
]
const PACKAGE = JSON.stringify({
  imports: Object.fromEntries(FACES.map((face) => [face, './x.ts'])),
  dependencies: { kysely: '1', '@scope/thing': '1' },
})

/** What the check says of a tree with these files: `file: what`, each once. */
function said(files: Record<string, string>): string[] {
  const root = join(scratch, String(++trees))
  for (const [file, text] of Object.entries({ 'package.json': PACKAGE, ...files })) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  return tidy(root).findings.map(({ file, what }) => `${file}: ${what}`)
}

/** One file that begins as it should. */
function saidOf(file: string, code: string): string[] {
  return said({ [file]: `// What it is for.\n${code}\n` })
}

// Put together here, because this file is checked too.
const slash = '/'
const enumWord = ['en', 'um'].join('')

test('this repository is tidy', () => {
  assert.deepEqual(tidy(resolve(import.meta.dirname, '../..')).findings, [])
})

describe('imports that break the rooms table are found', () => {
  const cases: [string, string, RegExp][] = [
    ['src/base/a.ts', `import { x } from '#crypto'`, /base may not use crypto/],
    ['src/crypto/a.ts', `import { x } from '#format'`, /crypto may not use format/],
    ['src/format/a.ts', `import { x } from '#contract'`, /format may not use contract/],
    ['src/format/a.ts', `import type { x } from '#storage'`, /format may not use storage/],
    ['src/storage/a.ts', `import { x } from '#audit'`, /storage may not use audit/],
    ['src/audit/a.ts', `export * from '#storage'`, /audit may not use storage/],
    ['src/storage/a.ts', `const x = await import('#access')`, /storage may not use access/],
    ['src/gateways/api/a.ts', `import { x } from '#storage'`, /gateways may not use storage/],
    ['src/gateways/api/a.ts', `import { x } from '../webdav/b.ts'`, /gateways are strangers/],
    ['src/cli/a.ts', `import { x } from '#access'`, /cli may not use access/],
    ['src/cli/a.ts', `import { x } from '#database'`, /cli may not use database/],
    ['web/src/a.ts', `import { x } from '#database'`, /web may not use database/],
    ['web/src/a.ts', `import { x } from '../../src/base/base.ts'`, /by its face/],
    ['web/src/a.ts', `import { readFileSync } from 'node:fs'`, /no Node modules/],
    ['src/storage/a.ts', `import { x } from '../base/base.ts'`, /by its face/],
    ['src/storage/locations/s3/a.ts', `import { x } from '../../location.ts'`, /never/],
    ['src/storage/a.ts', `import { x } from '#storage'`, /inside a room/],
    ['src/storage/a.ts', `import { x } from '#nowhere'`, /no such face/],
    ['src/storage/a.ts', `import { x } from './b'`, /end in \.ts/],
    ['src/storage/a.ts', `import x from 'left-pad'`, /not among the dependencies/],
    ['src/elsewhere/a.ts', `import { x } from '#base'`, /no room/],
    ['src/format/a.ts', `import { x } from 'node:fs'`, /format is pure/],
    ['src/governance/a.ts', `import { x } from 'node:crypto'`, /governance is pure/],
    ['src/crypto/a.ts', `new Worker(new URL('../storage/a.ts', import.meta.url))`, /by its face/],
    ['src/storage/a.ts', `const x = require('../audit/a.ts')`, /by its face/],
  ]
  for (const [file, code, what] of cases) {
    test(`${file}: ${code.replaceAll('\n', ' ')}`, () => {
      const findings = saidOf(file, code)
      assert.equal(findings.length, 1, findings.join('\n'))
      assert.match(findings[0]!, what)
    })
  }
})

describe('imports that keep it are not', () => {
  const cases: [string, string][] = [
    [
      'src/crypto/a.ts',
      `import { x } from '#base'\nimport { y } from './b.ts'\nimport { z } from '#crypto/primitives'\nimport { k } from '../kernels/layout.ts'`,
    ],
    ['src/crypto/primitives-node.ts', `import { x } from 'node:crypto'\nconst y = Buffer.from('')`],
    ['src/database/a.ts', `import { x } from 'node:sqlite'\nimport { Kysely } from 'kysely'\nimport { y } from '@scope/thing/deep'`],
    ['src/storage/locations/s3/a.ts', `import { x } from '../bounds.ts'\nimport { y } from '#database'\nimport { z } from 'node:http'`],
    ['src/access/a.ts', `import { x } from '#storage'\nimport { y } from '#audit'\nimport { z } from '#governance'`],
    ['src/gateways/api/a.ts', `import { x } from '#access'\nimport { y } from '#contract'\nimport { z } from '../loopback.ts'`],
    [
      'src/main/a.ts',
      `import { x } from '#storage'\nimport { y } from '../cli/program.ts'\nimport p from '../../package.json' with { type: 'json' }\nconst z = process.env.HOME`,
    ],
    ['test/storage/a.test.ts', `import { x } from '../../src/storage/a.ts'\nimport y from 'left-pad'\nconst z = process.env.HOME`],
    ['web/vite.config.ts', `import { x } from 'node:path'\nexport default {}`],
    ['src/kernels/a.ts', `import { x } from './layout'`],
    ['src/storage/a.ts', `// import { x } from '#audit'\nconst text = "import { x } from '#audit'"\nconst code = \`import('#audit')\``],
  ]
  for (const [file, code] of cases) test(file, () => assert.deepEqual(saidOf(file, code), []))
})

test('nobody is let into a room by the table that the picture keeps out', () => {
  const floor3 = Object.keys(rooms).filter((name) => rooms[name]!.floor === 3)
  assert.equal(floor3.length, 9)
  for (const a of floor3) for (const b of floor3) assert.equal(mayUse(a, b), a === b, `${a} -> ${b}`)
  for (const [a, room] of Object.entries(rooms)) {
    for (const [b, other] of Object.entries(rooms)) {
      if (other.floor >= room.floor && a !== b) assert.equal(mayUse(a, b), false, `${a} -> ${b}`)
    }
  }
})

describe('code that breaks a habit is found', () => {
  const cases: [string, string, RegExp][] = [
    ['src/base/a.ts', `export default 1`, /default/],
    ['src/base/a.ts', `const a = 1\nexport { a as default }`, /default/],
    ['src/base/a.ts', `${enumWord} Colour { red }`, /enums/],
    ['src/base/a.ts', `export const ${enumWord} Colour { red }`, /enums/],
    ['src/base/a.ts', `namespace Inner { }`, /namespaces/],
    ['src/storage/a.ts', `const home = process.env.HOME`, /environment/],
    ['src/storage/a.ts', `const home = process['env'].HOME`, /environment/],
    ['src/storage/a.ts', `const { env } = process`, /environment/],
    ['src/storage/a.ts', `import { env } from 'node:process'`, /environment/],
    ['src/format/a.ts', `const now = Date.now()`, /pure/],
    ['src/format/a.ts', `const now = new Date()`, /pure/],
    ['src/governance/a.ts', `const chance = Math.random()`, /pure/],
    ['src/contract/a.ts', `const bytes = Buffer.from('')`, /pure/],
  ]
  for (const [file, code, what] of cases) {
    test(`${file}: ${code.replaceAll('\n', ' ')}`, () => {
      const findings = saidOf(file, code)
      assert.equal(findings.length, 1, findings.join('\n'))
      assert.match(findings[0]!, what)
    })
  }

  test('a file without a purpose', () => {
    assert.match(said({ 'src/base/a.ts': 'export const a = 1\n' })[0]!, /what it is for/)
    assert.match(said({ 'src/base/a.ts': '//\nexport const a = 1\n' })[0]!, /what it is for/)
    assert.deepEqual(said({ 'bin/a.mjs': '#!/usr/bin/env node\n// Starts it.\n' }), [])
    assert.deepEqual(said({ 'src/base/a.ts': '/** A room. */\n' }), [])
  })

  test('words in texts, comments and names are not code', () => {
    const code = [
      `// no enum Colour {, and process.env is main's`,
      `const text = 'export default process.env'`,
      `const pattern = /enum Colour {'"/g`,
      'const inserted = `process.env ${text} enum A {`',
      `const half = text.length / 2 / "/".length`,
      `const enumerate = { process: 1, module: 2, default: 3 }`,
    ].join('\n')
    assert.deepEqual(saidOf('src/storage/a.ts', code), [])
  })
})

test('names that say nothing or are not in kebab-case are found', () => {
  for (const file of [
    'src/base/utils.ts',
    'src/base/string-utils.ts',
    'src/common/a.ts',
    'test/helpers/a.ts',
    'src/base/lock-manager.ts',
  ]) {
    assert.ok(
      saidOf(file, '').some((finding) => /says nothing/.test(finding)),
      file,
    )
  }
  for (const file of ['src/base/secretBytes.ts', 'web/src/Ring.tsx', 'src/base/a_b.ts', 'src/base/-a.ts']) {
    assert.ok(
      saidOf(file, '').some((finding) => /kebab-case/.test(finding)),
      file,
    )
  }
  assert.deepEqual(saidOf('test/base/secret-bytes.prop.test.ts', ''), [])
})

test('traces of a machine are found', () => {
  for (const path of ['work/main/a.ts', 'root/.npmrc', 'home/someone/a', 'Users/someone/a']) {
    for (const text of [`see ${slash}${path}`, `'${slash}${path}'`, `A=${slash}${path}`, `(${slash}${path})`]) {
      assert.equal(said({ 'docs/a.md': text }).length, 1, text)
    }
  }
  for (const host of ['registry|npmjs|org', 'registry|example|net', 'files|pythonhosted|org']) {
    assert.equal(said({ 'docs/a.md': `https:${slash}${slash}${host.replaceAll('|', '.')}${slash}x` }).length, 1, host)
  }
  const fine = [
    `src${slash}work/a`,
    'a/home/b/c',
    `$HOME${slash}work/a`,
    `~${slash}work${slash}a`,
    '/workshop/a',
    '/homepage',
    `https://example.org${slash}work/a`,
    '../root/a',
  ]
  assert.deepEqual(said({ 'docs/a.md': fine.join('\n') }), [])
  assert.deepEqual(said({ 'docs/a.bin': `\0${slash}root${slash}a` }), [])
})

test('links that lead nowhere are found', () => {
  const documents = {
    'README.md': '# Quorate\n[a](docs/a.md) [b](docs/b.md) ![c](docs/none.png "title")\n<img src="docs/none.svg">\n[r]: docs/none.md\n',
    'docs/a.md':
      '# A `code` title\n[top](../README.md#quorate) [no](../README.md#no) [self](#a-code-title) [away](https://example.org/x) [out](../../x.md)\n',
    'docs/code.md': '`[a](none.md)`\n```\n[a](none.md)\n```\n',
    'docs/folder.md': '[a folder](.) [absolute](/README.md)\n',
  }
  assert.deepEqual(said(documents), [
    'README.md: docs/b.md: there is no such file',
    'README.md: docs/none.png: there is no such file',
    'README.md: docs/none.svg: there is no such file',
    'README.md: docs/none.md: there is no such file',
    'docs/a.md: ../README.md#no: there is no such heading',
    'docs/a.md: ../../x.md: leads out of the repository',
  ])
})

test('what is installed, built or ignored is not looked at', () => {
  const untidy = 'export default 1'
  const ignored = { 'node_modules/a/b.js': untidy, 'web/dist/a.js': untidy, 'home/a.ts': untidy, 'a.log': `${slash}root${slash}a` }
  assert.deepEqual(said({ '.gitignore': 'node_modules/\n/web/dist/\n/home/\n*.log\n', ...ignored }), [])
})

test('imports are read in every form, with their lines', () => {
  const code = [
    `import a, { type B } from './1.ts'`,
    `import * as c from "./2.ts"`,
    `import './3.ts'`,
    `export {`,
    `  d,`,
    `} from './4.ts'`,
    'const e = await import(`./5.ts`)',
    `const f = Array.from('not this')`,
    `/* import './nor-this.ts' */ type G = import('./6.ts').G`,
    'const h = `${`${import("./7.ts")}`} import "./nor-that.ts"`',
    `const i = 1 / 2; import './8.ts' // '`,
    `<p>don't</p>`,
    `import './9.ts'`,
  ].join('\n')
  const found = importsOf(readSource(code)).map(({ specifier, line }) => `${specifier} ${line}`)
  assert.deepEqual(found, ['./1.ts 1', './2.ts 2', './3.ts 3', './4.ts 6', './5.ts 7', './6.ts 9', './7.ts 10', './8.ts 11', './9.ts 13'])
})
