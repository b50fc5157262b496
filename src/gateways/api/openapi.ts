// The OpenAPI 3.1 description of the API, made from the table that the server and the client use: what is checked is what is written here.
import { z } from 'zod'
import { CODES, STATUS_OF_KIND, type FailureCode, type FailureKind } from '#base'
import * as contract from '#contract'
import type { RouteName } from './handlers.ts'
import { needsNobody } from './identity-rights.ts'

/** A JSON Schema of draft 2020-12, which OpenAPI 3.1 takes as it is. */
export type JsonSchema = { readonly [keyword: string]: unknown }

export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: object
  readonly servers: readonly object[]
  readonly security: readonly object[]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly responses: Readonly<Record<string, object>>
    readonly headers: Readonly<Record<string, object>>
    readonly securitySchemes: Readonly<Record<string, object>>
  }
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters?: readonly object[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<string, object>>
  readonly security?: readonly object[]
}

/** A route as the table keeps it, whatever it leaves away. */
type AnyRoute = contract.Route

const ROUTES = Object.entries(contract.routes) as readonly (readonly [RouteName, AnyRoute])[]
const SCHEMAS = '#/components/schemas/'

/** Schemas by one side of the API: what people send, or what they get. */
interface Side {
  readonly components: Readonly<Record<string, JsonSchema>>
  of(schema: z.ZodType): JsonSchema
}

/** `version` is the product's. */
export function openApi({ version }: { readonly version: string }): OpenApiDocument {
  const names = nameSchemas()
  const sent = sideOf('input', names)
  const given = sideOf('output', names)
  const schemas = merge(sent, given)
  const paths: Record<string, Record<string, Operation>> = {}
  for (const [name, route] of ROUTES) {
    const path = templateOf(route.path)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route, schemas) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Quorate',
      version,
      summary: 'Files as k-of-n fragments over several locations. Nothing opens without a quorum.',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'the site that answered this document' }],
    security: [{ token: [] }, { session: [] }],
    tags: [...new Set(ROUTES.map(([, { path }]) => tagOf(path)))].map((name) => ({ name })),
    paths,
    components: {
      schemas: used(paths, schemas.components),
      responses: refusals(),
      headers: HEADERS,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token of a person: with its scope, until it expires.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'quorate',
          description:
            'The session of a browser. Its name ends in the port on localhost (quorate-7878), and is __Host-quorate over HTTPS. Programs use a token, or the unix socket of the site, which asks for nothing.',
        },
      },
    },
  }
}

const DESCRIPTION = `Every call of the page and of the command line, and no other: both use this API.

Refusals are problem documents (RFC 9457): \`code\` never changes its meaning, \`retry\` says whether the same call may succeed later unchanged, \`next\` what to do, \`culprits\` who is at fault. \`instance\` is also the header \`x-request-id\`, and stands in the site's log.

Objects in answers may gain members in later versions; requests with members or parameters that are not named here are refused. Long work answers 202 with a task, which is asked for at /api/v1/tasks/{id} or heard of at /api/v1/events. Bytes that cannot be given whole end with a broken connection, never short.`

/** Which routes stand together, by the first word of their path. */
const TAGS: Readonly<Record<string, string>> = {
  files: 'Files',
  entry: 'Files',
  content: 'Files',
  folders: 'Files',
  move: 'Files',
  copy: 'Files',
  versions: 'Files',
  uploads: 'Uploads that go on',
  placement: 'Locations',
  fragment: 'Locations',
  locations: 'Locations',
  change: 'Change of shape',
  plan: 'Change of shape',
  trash: 'Trash, keeping, past',
  keeping: 'Trash, keeping, past',
  purge: 'Trash, keeping, past',
  moment: 'Trash, keeping, past',
  deletions: 'Trash, keeping, past',
  site: 'Site and vault',
  status: 'Site and vault',
  vault: 'Site and vault',
  events: 'Site and vault',
  'openapi.json': 'Site and vault',
  scrub: 'Health',
  repair: 'Health',
  health: 'Health',
  drill: 'Health',
  tasks: 'Long work',
  import: 'Long work',
  kit: 'Recovery',
  restore: 'Recovery',
  recover: 'Recovery',
  writers: 'Several sites',
  join: 'Several sites',
  session: 'People and sessions',
  'sign-in': 'People and sessions',
  me: 'People and sessions',
  invitations: 'People and sessions',
  people: 'People and sessions',
  groups: 'People and sessions',
  directory: 'People and sessions',
}

/** What comes without a place of its own stands under its own word. */
function tagOf(path: string): string {
  const word = path.split('/')[3] ?? path
  return TAGS[word] ?? word.charAt(0).toUpperCase() + word.slice(1)
}

function operation(name: RouteName, route: AnyRoute, schemas: Merged): Operation {
  const body = bodyOf(route, schemas)
  const parameters = [...pathParameters(route.path), ...queryParameters(route, schemas), ...(name === 'download' ? RANGE_HEADERS : [])]
  return {
    operationId: name,
    summary: route.summary,
    tags: [tagOf(route.path)],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
    responses: {
      ...successes(name, route, schemas),
      ...Object.fromEntries(refusalsOf(name, route).map((status) => [status, refusal(status)])),
    },
    ...(needsNobody(route.method, route.path) ? { security: [] } : {}),
  }
}

/** `:id` and a rest of any length, which OpenAPI cannot say otherwise. */
function templateOf(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}').replace('*', '{rest}')
}

function pathParameters(path: string): object[] {
  return [...templateOf(path).matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    ...(name === 'rest' ? { description: 'May hold slashes.' } : {}),
    schema: { type: 'string' },
  }))
}

/** Types as they are meant; what may be left away is what the reader of the query lets be left away. */
function queryParameters(route: AnyRoute, schemas: Merged): object[] {
  if (route.query === undefined) return []
  const meant = schemas.given(route.query)
  const asked = schemas.sent(route.query)
  const required = Array.isArray(asked['required']) ? asked['required'] : []
  return Object.entries((meant['properties'] ?? {}) as Record<string, JsonSchema>).map(([name, schema]) => ({
    name,
    in: 'query',
    ...(required.includes(name) ? { required: true } : {}),
    schema,
  }))
}

/** A PUT without a described body takes bytes. */
function bodyOf(route: AnyRoute, schemas: Merged): object | undefined {
  if (route.body !== undefined) return { 'application/json': { schema: schemas.sent(route.body) } }
  return route.method === 'PUT' ? { 'application/octet-stream': {} } : undefined
}

/** What routes answer that have no schema. */
const STREAMS: { readonly [N in RouteName]?: object } = {
  download: { '*/*': {} },
  deletionRecord: { 'application/json': {} },
  openapi: { 'application/json': {} },
}

function successes(name: RouteName, route: AnyRoute, schemas: Merged): Record<string, object> {
  const id = { 'x-request-id': { $ref: '#/components/headers/RequestId' } }
  if (name === 'events') {
    const about =
      'Server-sent events: each data line is one JSON document as `x-item-schema` says; a comment now and then keeps the line alive.'
    const content = { 'text/event-stream': { 'x-item-schema': schemas.given(contract.event) } }
    return { 200: { description: about, headers: id, content } }
  }
  if (name === 'download') {
    const part = { ...id, etag: ref('headers', 'ETag'), 'accept-ranges': ref('headers', 'AcceptRanges') }
    return {
      200: { description: 'The whole file', headers: part, content: STREAMS.download },
      206: { description: 'The range', headers: { ...part, 'content-range': ref('headers', 'ContentRange') }, content: STREAMS.download },
      304: { description: 'Unchanged since If-None-Match', headers: part },
    }
  }
  const content =
    route.answer === undefined
      ? (STREAMS[name] ?? { 'application/octet-stream': {} })
      : { 'application/json': { schema: schemas.given(route.answer) } }
  return { [route.status]: { description: route.summary, headers: id, content } }
}

const RANGE_HEADERS = [
  { name: 'Range', in: 'header', schema: { type: 'string' }, example: 'bytes=0-1023', description: 'One range; others are ignored.' },
  {
    name: 'If-Range',
    in: 'header',
    schema: { type: 'string' },
    description: 'An ETag; the whole file is sent when it is another one now.',
  },
  { name: 'If-Match', in: 'header', schema: { type: 'string' }, description: 'Refused with 412 when the file is another one now.' },
  { name: 'If-None-Match', in: 'header', schema: { type: 'string' }, description: '304 when it is the same still.' },
]

const HEADERS = {
  RequestId: { description: 'Names this call, in the log of the site as well.', schema: { type: 'string' } },
  ETag: { description: 'Opaque; another one when the content may be another. Says nothing about the content.', schema: { type: 'string' } },
  AcceptRanges: { schema: { type: 'string', const: 'bytes' } },
  ContentRange: { schema: { type: 'string' }, example: 'bytes 0-1023/146515' },
}

function ref(kind: 'headers' | 'responses' | 'schemas', name: string): { $ref: string } {
  return { $ref: `#/components/${kind}/${name}` }
}

/** Rooms whose refusals never leave by the API. */
const INSIDE = /^(?:cli|main)\./

function statusOf(code: FailureCode): number {
  const row: { readonly kind: FailureKind; readonly status?: number } = CODES[code]
  return row.status ?? STATUS_OF_KIND[row.kind]
}

function codesByStatus(): Map<number, FailureCode[]> {
  const codes = (Object.keys(CODES) as FailureCode[]).filter((code) => !INSIDE.test(code))
  return Map.groupBy(codes, statusOf)
}

function refusal(status: number): { $ref: string } {
  return ref('responses', `Refusal${status}`)
}

/** Each status with the codes that it can carry. */
function refusals(): Record<string, object> {
  return Object.fromEntries(
    [...codesByStatus()]
      .toSorted(([a], [b]) => a - b)
      .map(([status, codes]) => [
        `Refusal${status}`,
        {
          description: codes.map((code) => `\`${code}\`: ${CODES[code].title}${CODES[code].retry ? ' (try again)' : ''}`).join('; '),
          headers: { 'x-request-id': ref('headers', 'RequestId') },
          content: {
            'application/problem+json': {
              schema: { allOf: [ref('schemas', 'Problem'), { properties: { code: { enum: codes }, status: { const: status } } }] },
            },
          },
        },
      ]),
  )
}

/** Statuses that only some routes can answer; every other status of the table can come from anywhere. */
const ONLY: Readonly<Record<number, (name: RouteName, route: AnyRoute) => boolean>> = {
  405: () => false,
  408: (_, { method }) => method !== 'GET',
  412: (name) => name === 'download',
  413: (_, { body }) => body !== undefined,
  416: (name) => name === 'download' || name === 'fragment',
}

function refusalsOf(name: RouteName, route: AnyRoute): number[] {
  return [...codesByStatus().keys()].filter((status) => ONLY[status]?.(name, route) ?? true).toSorted((a, b) => a - b)
}

/** A component for each noun that the contract gives a name. */
function nameSchemas(): ReadonlyMap<z.ZodType, string> {
  const names = new Map<z.ZodType, string>()
  for (const [name, value] of Object.entries(contract)) {
    if (value instanceof z.ZodType) names.set(value, name.charAt(0).toUpperCase() + name.slice(1))
  }
  return names
}

function sideOf(io: 'input' | 'output', names: ReadonlyMap<z.ZodType, string>): Side {
  const registry = z.registry<{ id: string }>()
  for (const [schema, id] of names) registry.add(schema, { id })
  const known = new Map<z.ZodType, string>()
  for (const [name, route] of ROUTES) {
    for (const part of ['query', 'body', 'answer'] as const) {
      const schema = route[part]
      if (schema === undefined || names.has(schema) || known.has(schema)) continue
      known.set(schema, `${name}.${part}`)
      registry.add(schema, { id: `${name}.${part}` })
    }
  }
  const made = z.toJSONSchema(registry, { io, unrepresentable: 'any', override: plain, uri: (id) => `${SCHEMAS}${id}` }).schemas
  const clean = (id: string): JsonSchema => {
    const { $id: _, $schema: __, ...schema } = made[id] as JsonSchema
    return schema
  }
  return {
    components: Object.fromEntries([...names.values()].map((id) => [id, clean(id)])),
    of: (schema) => {
      const name = names.get(schema)
      return name === undefined ? clean(known.get(schema)!) : ref('schemas', name)
    },
  }
}

/** Answers may gain members, and bounds of all whole numbers say nothing. */
function plain({ jsonSchema }: { jsonSchema: { [keyword: string]: unknown } }): void {
  if (jsonSchema['additionalProperties'] === false) delete jsonSchema['additionalProperties']
  if (jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER) delete jsonSchema['maximum']
  if (jsonSchema['minimum'] === -Number.MAX_SAFE_INTEGER) delete jsonSchema['minimum']
  if (jsonSchema['format'] === 'date-time') delete jsonSchema['pattern']
}

interface Merged {
  readonly components: Readonly<Record<string, JsonSchema>>
  sent(schema: z.ZodType): JsonSchema
  given(schema: z.ZodType): JsonSchema
}

/** Nouns that people send otherwise than they get them, such as with members that have a default, become two. */
function merge(sent: Side, given: Side): Merged {
  const differs = (id: string): boolean =>
    JSON.stringify(expanded(sent.components[id]!, sent)) !== JSON.stringify(expanded(given.components[id]!, given))
  const apart = new Set(Object.keys(given.components).filter(differs))
  const rename = (schema: JsonSchema): JsonSchema =>
    JSON.parse(JSON.stringify(schema), (key: string, value: unknown) => {
      const name = key === '$ref' && typeof value === 'string' ? value.slice(SCHEMAS.length) : ''
      return apart.has(name) ? `${SCHEMAS}${name}Sent` : value
    }) as JsonSchema
  const twins = [...apart].map((id) => [`${id}Sent`, rename(sent.components[id]!)] as const)
  return {
    components: { ...given.components, ...Object.fromEntries(twins) },
    sent: (schema) => rename(sent.of(schema)),
    given: (schema) => given.of(schema),
  }
}

/** With every reference replaced by what it names. */
function expanded(schema: unknown, side: Side): unknown {
  return JSON.parse(JSON.stringify(schema), (_, value: unknown) => {
    const target = typeof value === 'object' && value !== null && '$ref' in value ? value.$ref : undefined
    return typeof target === 'string' ? expanded(side.components[target.slice(SCHEMAS.length)] ?? {}, side) : value
  })
}

/** Components that something refers to; the problem document always is. */
function used(paths: object, components: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> {
  const found = new Set<string>(['Problem'])
  const visit = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (found.has(name!)) continue
      found.add(name!)
      visit(components[name!] ?? {})
    }
  }
  visit(paths)
  visit(components['Problem'])
  return Object.fromEntries([...found].toSorted().map((name) => [name, components[name]!]))
}
