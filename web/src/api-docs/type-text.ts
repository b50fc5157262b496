// A schema as people read types: the notation of TypeScript, with the named types that it mentions below.
import type { Schema, Types } from './description.ts'

const NAMED = '#/components/schemas/'
const WIDTH = 76
const NAMED_MAX = 40

export function nameOf(schema: Schema): string | undefined {
  return schema.$ref?.startsWith(NAMED) === true ? schema.$ref.slice(NAMED.length) : undefined
}

/** The schema, and after it each named type that it needs, once. */
export function typeText(schema: Schema, types: Types): string {
  const first = nameOf(schema)
  const named = mentioned(schema, types)
  const head = first === undefined ? [written(schema, 0)] : []
  return [...head, ...named.map((name) => `type ${name} = ${written(types[name] ?? {}, 0)}`)].join('\n\n')
}

function mentioned(schema: Schema, types: Types): string[] {
  const names: string[] = []
  const visit = (one: unknown): void => {
    for (const [, name = ''] of JSON.stringify(one).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (names.includes(name) || names.length >= NAMED_MAX) continue
      names.push(name)
      visit(types[name] ?? {})
    }
  }
  visit(schema)
  return names
}

function written(schema: Schema, depth: number): string {
  const named = nameOf(schema)
  if (named !== undefined) return named
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return choices.map((choice) => written(choice, depth)).join(' | ')
  if (schema.allOf !== undefined) return schema.allOf.map((part) => written(part, depth)).join(' & ')
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => written({ ...schema, type }, depth)).join(' | ')
  if (schema.type === 'array') return listed(written(schema.items ?? {}, depth))
  if (schema.type === 'object') return object(schema, depth)
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  return typeof schema.type === 'string' ? schema.type : 'unknown'
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}

function listed(item: string): string {
  return /[|&]/.test(item) && !item.startsWith('{') ? `(${item})[]` : `${item}[]`
}

function object(schema: Schema, depth: number): string {
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => {
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`
    return `${key}${schema.required?.includes(name) === true ? '' : '?'}: ${written(member, depth + 1)}`
  })
  const rest = schema.additionalProperties
  if (typeof rest === 'object' && Object.keys(rest).length > 0) members.push(`[name: string]: ${written(rest, depth + 1)}`)
  if (members.length === 0) return '{}'
  const line = `{ ${members.join(', ')} }`
  if (line.length + depth * 2 < WIDTH && !line.includes('\n')) return line
  const pad = '  '.repeat(depth + 1)
  return `{\n${members.map((member) => `${pad}${member}`).join('\n')}\n${'  '.repeat(depth)}}`
}

/** What a parameter may be, in a few words: bounds are said, patterns are not. */
export function boundsText(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength } = schema
  const bounds = [
    minimum === undefined ? undefined : `≥ ${minimum}`,
    maximum === undefined ? undefined : `≤ ${maximum}`,
    minLength === undefined || minLength <= 1 ? undefined : `length ≥ ${minLength}`,
    maxLength === undefined ? undefined : `length ≤ ${maxLength}`,
    schema.default === undefined ? undefined : `= ${JSON.stringify(schema.default)}`,
  ].filter((bound) => bound !== undefined)
  return bounds.join(', ')
}

/** The type alone. */
export function shortType(schema: Schema): string {
  return written(schema, 0)
}
