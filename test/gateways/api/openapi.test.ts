// The OpenAPI document: every route is in it, every reference leads somewhere, every schema is one, and what the site really answers fits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { CODES } from '#base'
import { identityRoutes, routes, type Route } from '#contract'
import { openApi, type OpenApiDocument } from '../../../src/gateways/api/openapi.ts'
import { call, json, problemOf, startGateway, type Gateway } from './support.ts'

const ROUTES = Object.entries(routes) as [string, Route][]
const document = openApi({ version: '1.2.3' })

interface Described {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema: object }[]
  readonly requestBody?: { readonly content: Record<string, { schema?: object }> }
  readonly responses: Record<string, { $ref?: string; description?: string; content?: Record<string, { schema?: object }> }>
  readonly security?: readonly object[]
}

const operations = new Map(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [operation.operationId, { path, method, ...(operation as Described) }] as const),
  ),
)

/** One validator that knows the whole document, so that references mean what they mean there. */
function validator(): (schema: object) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'https://site.example/openapi', components: document.components })
  const absolute = (schema: object): object =>
    JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
      key === '$ref' && typeof value === 'string' ? `https://site.example/openapi${value}` : value,
    ) as object
  return (schema) => ajv.compile(absolute(schema))
}

test('every route of the table is there once, under its method and path, with all its parameters', () => {
  assert.equal(operations.size, ROUTES.length)
  for (const [name, route] of ROUTES) {
    const found = operations.get(name)
    assert.ok(found, name)
    assert.deepEqual(
      [found.path, found.method.toUpperCase()],
      [route.path.replace(/:(\w+)/g, '{$1}').replace('*', '{rest}'), route.method],
      name,
    )
    const inPath = (found.parameters ?? []).filter((one) => one.in === 'path')
    assert.deepEqual(
      inPath.map((one) => one.name),
      [...route.path.replace('*', ':rest').matchAll(/:(\w+)/g)].map(([, word]) => word),
    )
    assert.ok(inPath.every(({ required }) => required === true))
    assert.equal(found.tags.length, 1, name)
    assert.ok(found.summary.length > 5, name)
    assert.equal(found.requestBody !== undefined, route.body !== undefined || route.method === 'PUT', name)
    assert.ok(String(route.status) in found.responses, name)
  }
  assert.equal(new Set([...operations.values()].map(({ path, method }) => `${method} ${path}`)).size, operations.size)
})

test('every reference leads somewhere, and nothing stands in the document that nothing refers to', () => {
  const text = JSON.stringify(document)
  const named = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target!))
  assert.ok(named.size > 30)
  for (const target of named) {
    const found = target
      .slice('#/'.length)
      .split('/')
      .reduce((at: unknown, part) => (at as Record<string, unknown> | undefined)?.[part], document)
    assert.ok(typeof found === 'object', `${target} leads nowhere`)
  }
  for (const kind of ['schemas', 'headers'] as const)
    for (const name of Object.keys(document.components[kind])) assert.ok(named.has(`#/components/${kind}/${name}`), `${kind} ${name}`)
})

test('nouns are named once and not copied', () => {
  for (const name of ['Entry', 'Status', 'Task', 'Problem', 'LocationStatus', 'VaultSummary', 'HealthView', 'ChangeStatus'])
    assert.ok(name in document.components.schemas, name)
  const site = document.components.schemas['Site'] as { properties: Record<string, { anyOf: { $ref?: string }[] }> }
  assert.equal(site.properties['vault']!.anyOf[0]!.$ref, '#/components/schemas/VaultSummary')
})

test('every schema is a schema of draft 2020-12, and the document has the members that OpenAPI 3.1 asks for', () => {
  const compile = validator()
  const ajv = new Ajv2020({ strict: false })
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    assert.ok(ajv.validateSchema(schema), `${name}: ${ajv.errorsText()}`)
    compile({ $ref: `#/components/schemas/${name}` })
  }
  const { openapi, info, paths } = document
  assert.equal(openapi, '3.1.0')
  assert.deepEqual(Object.keys(info).toSorted(), ['description', 'license', 'summary', 'title', 'version'])
  assert.ok(Object.keys(paths).every((path) => path.startsWith('/api/v1/')))
  const schemes = new Set(Object.keys(document.components.securitySchemes))
  for (const { security, responses, parameters = [], operationId } of operations.values()) {
    for (const one of [...(security ?? []), ...document.security]) for (const name of Object.keys(one)) assert.ok(schemes.has(name))
    for (const [status, answer] of Object.entries(responses)) {
      assert.match(status, /^[1-5]\d\d$/)
      assert.ok(answer.$ref !== undefined || answer.description !== undefined, `${operationId} ${status}`)
    }
    assert.equal(new Set(parameters.map((one) => `${one.in} ${one.name}`)).size, parameters.length)
  }
})

test('each code of a refusal is told under its status, and none that stays inside', () => {
  const told = new Map<string, string>()
  for (const [name, answer] of Object.entries(document.components.responses) as [string, { content: object }][]) {
    const status = name.slice('Refusal'.length)
    const { schema } = (answer.content as Record<string, { schema: { allOf: [object, { properties: { code: { enum: string[] } } }] } }>)[
      'application/problem+json'
    ]!
    for (const code of schema.allOf[1].properties.code.enum) told.set(code, status)
  }
  for (const code of Object.keys(CODES)) assert.equal(told.has(code), !/^(?:cli|main)\./.test(code), code)
  assert.deepEqual(
    ['storage.absent', 'storage.range', 'api.precondition', 'access.unauthenticated', 'format.record', 'api.busy'].map((code) =>
      told.get(code),
    ),
    ['404', '416', '412', '401', '500', '503'],
  )
  assert.ok(!('416' in operations.get('list')!.responses) && '416' in operations.get('download')!.responses)
})

test('what may be left away in a query or a body is not called required, and types are as they are meant', () => {
  const parameter = (name: string, word: string) => operations.get(name)!.parameters!.find((one) => one.name === word)!
  assert.equal(parameter('list', 'path').required, true)
  assert.equal(parameter('list', 'recursive').required, undefined)
  assert.equal((parameter('list', 'recursive').schema as { type: string }).type, 'boolean')
  assert.equal((parameter('fragment', 'x').schema as { type: string }).type, 'integer')
  assert.equal(parameter('fragment', 'offset').required, undefined)
  assert.deepEqual(
    operations
      .get('download')!
      .parameters!.filter((one) => one.in === 'header')
      .map((one) => one.name),
    ['Range', 'If-Range', 'If-Match', 'If-None-Match'],
  )
  const vault = operations.get('createVault')!.requestBody!.content['application/json']!.schema as { $ref: string }
  const schema = document.components.schemas[vault.$ref.split('/')[3]!] as { required: string[] }
  assert.deepEqual(schema.required.toSorted(), ['locations', 'threshold'])
})

test('the site gives the document to whoever is signed in, and what it answers fits the document', async () => {
  await using gateway = await startGateway()
  assert.equal((await call(gateway, { path: '/api/v1/openapi.json', headers: { cookie: '' } })).status, 401)
  const answer = await call(gateway, { path: '/api/v1/openapi.json' })
  assert.equal(answer.headers['content-type'], 'application/json')
  const given = JSON.parse(answer.body.toString()) as OpenApiDocument
  assert.deepEqual(given.paths, JSON.parse(JSON.stringify(document.paths)))
  const compile = validator()
  const asked = await ask(gateway)
  for (const [name, { status, body }] of asked) {
    const described = operations.get(name)!.responses[status]!
    const validate = compile(described.content!['application/json']!.schema!)
    assert.ok(validate(body), `${name}: ${JSON.stringify(validate.errors)}`)
  }
  assert.ok(asked.size >= 25)
  const refused = await call(gateway, { path: '/api/v1/entry?path=/none' })
  const problem = document.components.responses['Refusal404'] as { content: Record<string, { schema: object }> }
  const validate = compile(problem.content['application/problem+json']!.schema)
  assert.ok(validate(problemOf(refused)), JSON.stringify(validate.errors))
  assert.ok(!validate({ ...problemOf(refused), code: 'storage.range' }), 'a code of another status')
})

const QUERIES: Readonly<Record<string, string>> = {
  list: '?path=/',
  stat: '?path=/a',
  versions: '?path=/a',
  placement: '?path=/a',
  keeping: '?path=/',
  planMoment: '?path=/&at=2026-01-02T03:04:05Z',
}

/** One answer of each call that needs little. */
async function ask(gateway: Gateway): Promise<Map<string, { status: number; body: unknown }>> {
  gateway.door.put('/a', Buffer.from('hello'))
  const asked = new Map<string, { status: number; body: unknown }>()
  for (const [name, route] of ROUTES) {
    if (name in identityRoutes || /[:*]/.test(route.path) || route.method !== 'GET' || route.answer === undefined) continue
    const query = QUERIES[name] ?? ''
    // Those that need more are asked by their own tests.
    const needs = operations.get(name)!.parameters?.some((one) => one.in === 'query' && one.required === true) ?? false
    if (needs && query === '') continue
    const answer = await call(gateway, { path: `${route.path}${query}` })
    assert.equal(answer.status, route.status, `${name}: ${answer.body.toString()}`)
    asked.set(name, { status: answer.status, body: JSON.parse(answer.body.toString()) })
  }
  for (const [name, path, body] of [
    ['createVault', '/api/v1/vault', { threshold: 2, locations: [{ spec: 'folder:/a' }, { spec: 'folder:/b' }] }],
    ['createFolder', '/api/v1/folders', { path: '/f' }],
    ['scrub', '/api/v1/scrub', {}],
    ['repair', '/api/v1/repair', {}],
    ['verifyContent', '/api/v1/content/verify', { path: '/a', sha256: 'a'.repeat(64) }],
    ['requestChange', '/api/v1/change', {}],
    ['writerKey', '/api/v1/writers/key', {}],
    ['makeKit', '/api/v1/kit', {}],
  ] as const) {
    const answer = await json(gateway, 'POST', path, body)
    asked.set(name, { status: answer.status, body: JSON.parse(answer.body.toString()) })
  }
  return asked
}
