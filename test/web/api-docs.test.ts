// The page of the API: types as text, examples that a shell and a program take, search.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import type { z } from 'zod'
import { createClient, routes, type Route } from '#contract'
import { needsNobody } from '../../src/gateways/api/identity-rights.ts'
import { openApi } from '../../src/gateways/api/openapi.ts'
import { type Description, found, operationsOf } from '../../web/src/api-docs/description.ts'
import { curlOf, sampleOf, typescriptOf } from '../../web/src/api-docs/examples.ts'
import { typeText } from '../../web/src/api-docs/type-text.ts'

const description = JSON.parse(JSON.stringify(openApi({ version: '1.2.3' }))) as Description
const types = description.components.schemas
const operations = operationsOf(description)
const client = createClient(() => Promise.reject(new Error('nobody is asked')))
const SITE = 'https://vault.example.org'

test('every call is read from the document, with its codes', () => {
  assert.deepEqual(operations.map(({ name }) => name).toSorted(), Object.keys(routes).toSorted())
  const download = operations.find(({ name }) => name === 'download')!
  assert.deepEqual(
    download.answers.map(({ status }) => status),
    ['200', '206', '304'],
  )
  assert.ok(download.refusals.some(({ status, codes }) => status === '416' && codes.includes('storage.range')))
  assert.deepEqual(
    operations.filter(({ open }) => open).map(({ name }) => name),
    Object.entries(routes as Record<string, Route>)
      .filter(([, { method, path }]) => needsNobody(method, path))
      .map(([name]) => name),
  )
})

test('a sample body of each call is one that the contract takes', () => {
  let bodies = 0
  for (const { name, body } of operations) {
    if (body?.schema === undefined) continue
    bodies += 1
    const sample = sampleOf(body.schema, types)
    const schema = (routes as Record<string, Route>)[name]!.body as z.ZodType
    const result = schema.safeParse(sample)
    // What a rule of several members says cannot be read from the document.
    const told = result.error?.issues.every(({ code }) => code === 'custom') ?? true
    assert.ok(told, `${name}: ${JSON.stringify(sample)}: ${result.error?.message}`)
  }
  assert.ok(bodies > 20)
})

test('each example is a line that a shell reads and lines that Node reads; no token stands in them', () => {
  for (const operation of operations) {
    const curl = curlOf(operation, types, SITE)
    const shell = spawnSync('sh', ['-n'], { input: curl, encoding: 'utf8' })
    assert.equal(shell.status, 0, `${curl}\n${shell.stderr}`)
    assert.equal(/Bearer \$QUORATE_TOKEN/.test(curl), !operation.open, operation.name)
    const program = typescriptOf(operation, types, SITE)
    assert.doesNotThrow(() => stripTypeScriptTypes(program), program)
    const called = /site\.(?:api\.(\w+)|store|read|events)\(|await fetch\('https:/.exec(program)
    assert.ok(called !== null && (called[1] === undefined || called[1] in client), program)
    assert.ok(!program.includes('fetch(') || !(operation.name in client), program)
  }
})

test('a shell gives curl the arguments that are meant, whatever is in a body', () => {
  const move = operations.find(({ name }) => name === 'move')!
  const echo = curlOf(move, types, SITE).replace(/^curl/, "printf '%s\\n'")
  const { stdout } = spawnSync('sh', [], { input: echo, encoding: 'utf8', env: { ...process.env, QUORATE_TOKEN: 'qt_x' } })
  const lines = stdout.split('\n')
  assert.ok(lines.includes(`${SITE}/api/v1/move`))
  assert.deepEqual(JSON.parse(lines[lines.indexOf('--data') + 1]!), { from: '/mri/scan.dcm', to: '/archive/scan.dcm' })
  assert.ok(lines.includes('Authorization: Bearer qt_x'))
})

test('types are told as TypeScript writes them, each name once', () => {
  const text = typeText({ $ref: '#/components/schemas/Listing' }, types)
  assert.match(text, /^type Listing = \{/)
  assert.match(text, /kind: 'file' \| 'folder'/)
  assert.match(text, /next: string \| null/)
  assert.equal([...text.matchAll(/^type Entry = /gm)].length, 1)
  const task = typeText({ $ref: '#/components/schemas/Task' }, types)
  assert.match(task, /report: Report \| null/)
  assert.match(task, /findings: Finding\[\]/)
})

test('words of name, address and purpose find calls, all of them together', () => {
  assert.deepEqual(
    found(operations, 'DELETE uploads').map(({ name }) => name),
    ['cancelUpload'],
  )
  assert.ok(found(operations, '  RANGE ').some(({ name }) => name === 'download'))
  assert.equal(found(operations, '').length, operations.length)
  assert.equal(found(operations, 'no such words').length, 0)
})
