// Reading what a site answered, within bounds, and saying so when it is not what the contract says.
import type { z } from 'zod'
import { concat, Failure, fromUtf8 } from '#base'

const ANSWER_BYTES_MAX = 64 * 2 ** 20
const NO_SITE = 'Look whether the address is that of a site, and whether site and client are of one version.'

export async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body) {
    length += part.length
    if (length > ANSWER_BYTES_MAX) throw new Failure('api.limit', { detail: 'the answer of the site is too large' })
    parts.push(part)
  }
  return concat(...parts)
}

/** JSON of an answer. Something else than a site, such as the sign-in page of a network, may have answered. */
export async function readJson(body: AsyncIterable<Uint8Array>): Promise<object> {
  const bytes = await collect(body)
  try {
    return JSON.parse(fromUtf8(bytes)) as object
  } catch (error) {
    throw new Failure('api.answer', { detail: 'The answer is no JSON.', next: NO_SITE, cause: error })
  }
}

/** The value as the schema knows it; what it does not name is left out. */
export function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const place = result.error.issues[0]?.path.join('.') ?? ''
  const at = place === '' ? '' : `, at ${place}`
  throw new Failure('api.answer', { detail: `The answer of the site is not as the contract says${at}.`, next: NO_SITE })
}
