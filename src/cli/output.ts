// What a command says: one JSON document or JSON lines for programs, sentences for people, problems on standard error for both.
import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { Failure } from '#base'
import type { Host } from './host.ts'
import { openMeter, type Meter } from './meter.ts'
import { printable, sentence } from './words.ts'

export interface Output {
  readonly json: boolean
  /** A result for programs; people get nothing from it. */
  value(document: unknown): Promise<void>
  /** A result for people; programs get nothing from it. */
  line(text: string): Promise<void>
  /** Something worth knowing that is no result: on standard error. */
  note(text: string, fields: Readonly<Record<string, string>>): Promise<void>
  problem(error: unknown, fields?: Readonly<Record<string, string>>): Promise<void>
  meter(): Meter
}

export function createOutput(host: Host, options: { readonly json: boolean; readonly progress: boolean }): Output {
  const { json } = options
  let meter: Meter | undefined
  const onErrors = async (text: string): Promise<void> => {
    await meter?.clear()
    await host.errors.write(text)
  }
  return {
    json,
    value: async (document) => (json ? host.output.write(`${JSON.stringify(document)}\n`) : undefined),
    line: async (text) => {
      if (json) return
      await meter?.clear()
      await host.output.write(`${text}\n`)
    },
    note: (text, fields) => onErrors(json ? `${JSON.stringify(fields)}\n` : `quorate: ${text}\n`),
    problem: async (error, fields = {}) =>
      onErrors(json ? `${JSON.stringify({ ...(await document(error)), ...fields })}\n` : sentences(error, host.showsPlaces)),
    meter: () => (meter ??= openMeter(host.errors, { shown: options.progress || (host.errors.isTerminal && !json) })),
  }
}

async function document(error: unknown): Promise<object> {
  const { toProblem } = await import('#contract')
  return toProblem(error, `urn:uuid:${randomUUID()}`)
}

/** What happened, who is at fault, what to do. */
function sentences(error: unknown, showsPlaces: boolean): string {
  const failure = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
  const lines = [`quorate: ${printable(sentence(failure.message))} (${failure.code})`]
  const unnamed = failure.culprits.filter((culprit) => !failure.message.includes(culprit))
  if (unnamed.length > 0) lines.push(`  At fault: ${unnamed.map(printable).join(', ')}`)
  if (failure.next !== undefined) lines.push(`  Next: ${printable(failure.next)}`)
  if (!(error instanceof Failure))
    lines.push(showsPlaces ? inspect(error) : '  Next: Report it, with what QUORATE_LOG=error shows in front of the same command.')
  return `${lines.join('\n')}\n`
}
