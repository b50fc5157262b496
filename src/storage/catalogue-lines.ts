// The lines of the catalogue as it stands in the vault (docs/spec/vault.md, "Catalogue").
import { Failure } from '#base'
import { canonicalJson, type Json, parseCanonical } from '#format'
import { z } from 'zod'

export const CATALOGUE_TYPE = 'application/vnd.quorate.catalogue'
export const LINE_BYTES_MAX = 2 ** 20

const id = z.string().regex(/^[0-9a-f]{32}$/)
const name = z.string().regex(/^[0-9a-f]{2}\/[0-9a-f]{32}$/)
const count = z.number().int().min(0)
const path = z.string().startsWith('/').max(8192)
const place = z.object({ x: z.number().int().min(1).max(255), location: id, name, commitment: z.string().regex(/^[0-9a-f]{64}$/) })

const first = z.object({ v: z.literal(1), kind: z.enum(['snapshot', 'segment']), vault: id, sequence: count, created: z.string() })

const line = z.discriminatedUnion('op', [
  z.object({ op: z.literal('folder'), path, created: z.string() }),
  z.object({
    op: z.literal('deal'),
    object: id,
    version: count,
    dealId: id,
    k: count,
    n: count,
    layout: z.enum(['shared', 'sealed']),
    size: count,
    type: z.string(),
    created: z.string(),
    /** Of a set that took the place of the one that was dealt first. */
    generation: count.exactOptional(),
    set: id.exactOptional(),
    fragments: z.array(place).max(255),
  }),
  z.object({
    op: z.literal('file'),
    file: id,
    path,
    number: count,
    object: id,
    version: count,
    dealId: id,
    created: z.string(),
    modified: z.string(),
    at: z.string().optional(),
  }),
  z.object({ op: z.literal('move'), from: path, to: path, at: z.string().optional() }),
  z.object({ op: z.literal('remove'), path }),
  z.object({ op: z.literal('forget'), file: id, number: count }),
  z.object({ op: z.literal('place'), dealId: id, ...place.shape }),
  z.object({ op: z.literal('unplace'), dealId: id, x: count }),
  z.object({ op: z.literal('drop'), dealId: id }),
  z.object({ op: z.literal('vault'), name: z.string().max(1000), requireAll: z.boolean(), created: z.string() }),
  z.object({
    op: z.literal('location'),
    location: id,
    label: z.string().max(1000),
    kind: z.string().max(100),
    place: z.string().max(8192),
    added: z.string(),
  }),
  z.object({ op: z.literal('leave'), location: id }),
  z.object({ op: z.literal('name'), file: id, path, since: z.string(), until: z.string().nullable() }),
  z.object({ op: z.literal('history'), since: z.string() }),
  z.object({ op: z.literal('trash'), id, path, at: z.string(), by: z.string() }),
  z.object({
    op: z.literal('keep'),
    path,
    versionsDays: count.nullable(),
    versionsMin: count.nullable(),
    trashDays: count.nullable(),
    holdUntil: z.string().nullable(),
    by: z.string(),
    at: z.string(),
  }),
  z.object({
    op: z.literal('grant'),
    path,
    subject: z.string().min(1).max(200),
    /** Null takes it back. */
    right: z.enum(['read', 'write', 'manage']).nullable(),
    until: z.string().nullable(),
    by: z.string().max(1000),
    at: z.string(),
  }),
  z.object({ op: z.literal('deletion'), record: z.string() }),
  z.object({
    op: z.literal('upload'),
    upload: id,
    site: z.string().regex(/^[0-9a-f]{64}$/),
    actor: z.string().max(1000),
    path,
    file: id,
    size: count,
    modified: z.string().nullable(),
    type: z.string(),
    ifAbsent: z.boolean(),
    begun: z.string(),
    restarts: count,
    object: id,
    version: count,
    k: count,
    n: count,
    layout: z.enum(['shared', 'sealed']),
    created: z.string(),
    fragments: z.array(place.omit({ commitment: true })).max(255),
  }),
  z.object({ op: z.literal('upload-end'), upload: id }),
])

const OPS = new Set<unknown>(line.options.map(({ shape }) => shape.op.value))

export type CatalogueHeading = z.infer<typeof first>
export type CatalogueLine = z.infer<typeof line>

/** One line without its LF. */
export function encodeLine(value: CatalogueLine | CatalogueHeading): string {
  return canonicalJson(value as Json)
}

/** Back from what `encodeLine` made. */
export function parseLine(text: string): CatalogueLine {
  return line.parse(JSON.parse(text))
}

/**
 * Parses the content of a snapshot or segment: its heading, then its lines. Lines of an `op` that this version does not know are passed over,
 * and told to `unknown`. Throws `format.content` on anything else.
 */
export async function* parseLines(
  body: AsyncIterable<Uint8Array>,
  unknown: () => void = () => undefined,
): AsyncGenerator<CatalogueHeading | CatalogueLine> {
  let rest: Uint8Array = new Uint8Array(0)
  let number = 0
  const parse = (bytes: Uint8Array): CatalogueHeading | CatalogueLine | undefined => {
    number += 1
    try {
      const value = parseCanonical(bytes)
      if (number === 1) return first.parse(value)
      const { op } = z.object({ op: z.string() }).parse(value)
      if (OPS.has(op)) return line.parse(value)
      unknown()
      return undefined
    } catch (error) {
      throw new Failure('format.content', { detail: `line ${number} of the catalogue is not as written`, cause: error })
    }
  }
  for await (const piece of body) {
    let from = 0
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, from)) {
      const part = piece.subarray(from, end)
      const parsed = parse(rest.length === 0 ? part : joined(rest, part))
      if (parsed !== undefined) yield parsed
      rest = new Uint8Array(0)
      from = end + 1
    }
    rest = joined(rest, piece.subarray(from))
    if (rest.length > LINE_BYTES_MAX) throw new Failure('format.content', { detail: 'a line of the catalogue is too long' })
  }
  if (rest.length > 0) throw new Failure('format.content', { detail: 'the catalogue does not end with a whole line' })
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length)
  whole.set(a)
  whole.set(b, a.length)
  return whole
}
