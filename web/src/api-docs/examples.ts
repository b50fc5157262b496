// One call of an operation, ready to be copied: as a line for a shell, and as a few lines of TypeScript.
import { createClient } from '#contract'
import type { Operation, Parameter, Schema, Types } from './description.ts'
import { nameOf } from './type-text.ts'

const DEPTH_MAX = 6
/** Members that people know by name. */
const KNOWN: Readonly<Record<string, unknown>> = {
  path: '/mri/scan.dcm',
  from: '/mri/scan.dcm',
  to: '/archive/scan.dcm',
  label: 'Cloud West',
  spec: 'folder:/mnt/west',
  location: 'Cloud West',
  name: 'Vault',
  threshold: 2,
  modified: '2026-01-02T03:04:05Z',
  at: '2026-01-02T03:04:05Z',
  type: 'application/dicom',
}
const HEX_ID = '00112233445566778899aabbccddeeff'

/** A value that the schema could mean. Members that may be left away are, below the first level. */
export function sampleOf(schema: Schema, types: Types, name = '', depth = 0): unknown {
  const named = nameOf(schema)
  if (named !== undefined) return depth > DEPTH_MAX ? {} : sampleOf(types[named] ?? {}, types, name, depth + 1)
  if (name in KNOWN && schema.enum === undefined && fits(KNOWN[name], schema)) return KNOWN[name]
  if (schema.example !== undefined) return schema.example
  if (schema.default !== undefined) return schema.default
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  const [choice] = schema.anyOf ?? schema.oneOf ?? []
  if (choice !== undefined) return sampleOf(choice, types, name, depth)
  if (schema.type === 'array') {
    const item = schema.items === undefined ? undefined : sampleOf(schema.items, types, '', depth + 1)
    return item === undefined ? [] : Array.from({ length: Math.max(1, schema.minItems ?? 1) }, () => item)
  }
  if (schema.type === 'object') return objectSample(schema, types, depth)
  if (schema.type === 'boolean') return true
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 0
  if (schema.format === 'date-time') return KNOWN['at']
  if (schema.format === 'uri') return 'https://alarms.example.org/quorate'
  return textFor(schema)
}

/** The first of some usual texts that has the right length and shape. */
function textFor(schema: Schema): string {
  const { minLength = 0, maxLength = Infinity } = schema
  const fitting = TEXTS.find((text) => text.length >= minLength && text.length <= maxLength && isShaped(text, schema))
  return fitting ?? 'x'.repeat(Math.max(1, minLength))
}

/** Several shapes stand as parts of one schema. */
function isShaped(text: string, { pattern, allOf = [] }: Schema): boolean {
  return [pattern, ...allOf.map((part) => part.pattern)].every((shape) => shape === undefined || new RegExp(shape, 'u').test(text))
}

const TEXTS = ['x', HEX_ID, HEX_ID + HEX_ID, '/x', 'someone@example.org', '2026-01-02', 'EUR', '12:00', '123456', 'x'.repeat(24)]

/** Names mean other things in other places. */
function fits(known: unknown, schema: Schema): boolean {
  const { type } = schema
  if (typeof known !== 'string') return type === undefined || type === 'integer' || type === 'number'
  return (type === undefined || type === 'string') && isShaped(known, schema)
}

function objectSample(schema: Schema, types: Types, depth: number): object {
  const wanted = Object.entries(schema.properties ?? {}).filter(([name]) => schema.required?.includes(name) === true)
  return Object.fromEntries(wanted.map(([name, member]) => [name, sampleOf(member, types, name, depth + 1)]))
}

/** Address with the parameters that have to be there. */
function targetOf(operation: Operation, types: Types): string {
  const needed = operation.parameters.filter(({ in: where, required }) => where === 'query' && required === true)
  const query = new URLSearchParams(needed.map((one) => [one.name, sampleText(one, types)]))
  const path = operation.path.replace(/\{(\w+)\}/g, HEX_ID)
  return needed.length === 0 ? path : `${path}?${query.toString().replaceAll('%2F', '/')}`
}

function sampleText(parameter: Parameter, types: Types): string {
  return String(sampleOf(parameter.schema, types, parameter.name))
}

/** For a POSIX shell; the token stands in a variable, never in the line. */
export function curlOf(operation: Operation, types: Types, site: string): string {
  const lines = [`curl --fail-with-body "${site}${targetOf(operation, types)}"`]
  if (operation.method !== 'GET') lines.push(`  --request ${operation.method}`)
  if (!operation.open) lines.push('  --header "Authorization: Bearer $QUORATE_TOKEN"')
  if (operation.body?.schema !== undefined) {
    lines.push("  --header 'Content-Type: application/json'")
    lines.push(`  --data ${quoted(JSON.stringify(sampleOf(operation.body.schema, types)))}`)
  } else if (operation.body !== undefined) lines.push('  --upload-file scan.dcm')
  if (operation.name === 'download') lines.push("  --header 'Range: bytes=0-1023'", '  --output scan.part')
  else if (operation.answers[0]?.type === 'application/octet-stream') lines.push('  --output part.bin')
  if (operation.name === 'events') lines.push('  --no-buffer')
  return lines.join(' \\\n')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** With the package's own client, which knows the types and turns refusals into failures. */
export function typescriptOf(operation: Operation, types: Types, site: string): string {
  const call = callOf(operation, types, site)
  if (call[0]?.startsWith('const headers') === true) return call.join('\n')
  const file = call.some((line) => line.includes('createReadStream')) ? ["import { createReadStream } from 'node:fs'"] : []
  const head = [
    ...file,
    "import { connect } from 'quorate/client'",
    '',
    `const site = connect({ url: '${site}', token: process.env.QUORATE_TOKEN })`,
  ]
  return [...head, ...call].join('\n')
}

/** What the client has by name. */
const CALLS: ReadonlySet<string> = new Set(Object.keys(createClient(() => Promise.reject(new Error('nobody is asked')))))

/** For bytes that have no call of their own. */
function byFetch(operation: Operation, types: Types, site: string): string[] {
  return [
    'const headers = { authorization: `Bearer ${process.env.QUORATE_TOKEN}` }',
    `const answer = await fetch('${site}${targetOf(operation, types)}', { headers })`,
    'const bytes = new Uint8Array(await answer.arrayBuffer())',
  ]
}

function callOf(operation: Operation, types: Types, site: string): string[] {
  if (operation.name === 'events') return ['for await (const event of site.events()) console.log(event.kind)']
  if (operation.name === 'upload') return ["const stored = await site.store('/mri/scan.dcm', createReadStream('scan.dcm'))"]
  if (operation.name === 'download')
    return ["const part = await site.read('/mri/scan.dcm', { first: 0, last: 1023 })", 'for await (const bytes of part) use(bytes)']
  if (operation.name === 'sendUpload')
    return [`await site.api.sendUpload({ id: '${HEX_ID}', turn: '${HEX_ID}', offset: 0, body: createReadStream('scan.dcm') })`]
  if (!CALLS.has(operation.name)) return byFetch(operation, types, site)
  const parameters = operation.parameters.filter(({ in: where, required }) => where === 'path' || (where === 'query' && required === true))
  const inPath = parameters.filter(({ in: where }) => where === 'path').map(() => `'${HEX_ID}'`)
  const inQuery = parameters.filter(({ in: where }) => where === 'query')
  const query = Object.fromEntries(inQuery.map((one) => [one.name, sampleOf(one.schema, types, one.name)]))
  const body = operation.body?.schema === undefined ? undefined : sampleOf(operation.body.schema, types)
  const empty = body !== undefined && Object.keys(body as object).length === 0 && (operation.name === 'purge' || inPath.length > 0)
  const given = [...inPath, ...(inQuery.length === 0 ? [] : [source(query)]), ...(body === undefined || empty ? [] : [source(body)])]
  return [`const answer = await site.api.${operation.name}(${given.join(', ')})`]
}

/** JSON as it is written in a program. */
function source(value: unknown): string {
  return JSON.stringify(value, undefined, 1)
    .replace(/\n\s*/g, ' ')
    .replace(/"((?:[^"\\]|\\.)*)"(:?)/g, (_, text: string, colon: string) =>
      colon === ':' && /^[A-Za-z_$][\w$]*$/.test(text)
        ? `${text}:`
        : `'${text.replaceAll('\\"', '"').replaceAll("'", String.raw`\'`)}'${colon}`,
    )
}
