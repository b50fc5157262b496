// cat: bytes of a file to standard output.
import { Failure } from '#base'
import type { ByteRange } from '#contract'
import { EXIT } from '../exit-codes.ts'
import type { Context } from '../context.ts'
import { typedPath } from '../vault-paths.ts'

export interface CatOptions {
  readonly range: ByteRange | undefined
  readonly version: number | undefined
}

export async function cat(context: Context, typed: string, options: CatOptions): Promise<number> {
  const { path } = typedPath(typed)
  const { range, version } = options
  const { body } = await context.client.download({ path, version, range }, { signal: context.signal })
  for await (const part of body) await context.host.output.write(part)
  return EXIT.done
}

/** `1000-1999`, `1000-`, `-500`: first and last byte, inclusive, as in HTTP. */
export function parseByteRange(text: string): ByteRange {
  const match = /^(\d{0,15})-(\d{0,15})$/.exec(text)
  const [from, to] = [match?.[1] ?? '', match?.[2] ?? '']
  if (match === null || (from === '' && to === '') || (from !== '' && to !== '' && Number(to) < Number(from))) {
    throw new Failure('cli.usage', {
      detail: `${JSON.stringify(text)} is no range.`,
      next: 'Write FIRST-LAST (both inclusive), FIRST- or -LENGTH; for example 1000-1999.',
    })
  }
  if (from === '') return { suffix: Number(to) }
  return { first: Number(from), last: to === '' ? undefined : Number(to) }
}
