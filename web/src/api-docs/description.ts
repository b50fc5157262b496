// The OpenAPI document of the site, as far as the page shows it.
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly example?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly items?: Schema
  readonly minItems?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly example?: string
  readonly schema: Schema
}

type Content = Readonly<Record<string, { readonly schema?: Schema; readonly 'x-item-schema'?: Schema }>>

interface Answered {
  readonly $ref?: string
  readonly description?: string
  readonly content?: Content
}

interface Described {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, Answered>>
  readonly security?: readonly object[]
}

export interface Description {
  readonly openapi: string
  readonly info: { readonly version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly responses: Readonly<Record<string, Answered>>
  }
}

export type Types = Description['components']['schemas']

export interface Operation {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly group: string
  readonly summary: string
  readonly parameters: readonly Parameter[]
  /** Undefined: it takes no body. */
  readonly body: { readonly type: string; readonly schema: Schema | undefined } | undefined
  readonly answers: readonly {
    readonly status: string
    readonly type: string | undefined
    readonly schema: Schema | undefined
    readonly about: string
  }[]
  readonly refusals: readonly { readonly status: string; readonly codes: readonly string[] }[]
  /** Needs no session and no token. */
  readonly open: boolean
}

/** Every operation, in the order of the document. */
export function operationsOf(description: Description): Operation[] {
  return Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => operationOf(description, path, method, described)),
  )
}

function operationOf(description: Description, path: string, method: string, described: Described): Operation {
  const [body] = Object.entries(described.requestBody?.content ?? {})
  const answers = Object.entries(described.responses)
  return {
    name: described.operationId,
    method: method.toUpperCase(),
    path,
    group: described.tags[0] ?? '',
    summary: described.summary,
    parameters: described.parameters ?? [],
    body: body === undefined ? undefined : { type: body[0], schema: body[1].schema },
    answers: answers
      .filter(([status]) => Number(status) < 400)
      .map(([status, { content, description: about = '' }]) => {
        const [given] = Object.entries(content ?? {})
        return { status, type: given?.[0], schema: given?.[1].schema ?? given?.[1]['x-item-schema'], about }
      }),
    refusals: answers
      .filter(([status]) => Number(status) >= 400)
      .map(([status, answer]) => ({ status, codes: codesOf(resolved(description, answer)) })),
    open: described.security?.length === 0,
  }
}

function resolved(description: Description, answer: Answered): Answered {
  const name = answer.$ref?.slice('#/components/responses/'.length)
  return name === undefined ? answer : (description.components.responses[name] ?? {})
}

function codesOf({ content }: Answered): readonly string[] {
  const parts = content?.['application/problem+json']?.schema?.allOf ?? []
  return parts.flatMap(({ properties }) => (properties?.['code']?.enum ?? []).map(String))
}

/** The operations whose name, address, summary or group holds every word; all when there is none. */
export function found(operations: readonly Operation[], wanted: string): Operation[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  return operations.filter(({ name, method, path, summary, group }) => {
    const text = `${name} ${method} ${path} ${summary} ${group}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
