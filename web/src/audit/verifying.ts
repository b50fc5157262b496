// The log recomputed in the browser, from the files that the site serves, and compared with the head that this browser saw last.
import { Failure, fromBase64, isFailure, toBase64 } from '#base'
import { type LogHead, type LogVerdict, parseKey, verifyCheckpoint, verifyLog } from '#format/log'
import { client } from '../site/client.ts'
import { recall, remember } from '../app/remember.ts'

/** What this browser verified last. */
export interface Seen {
  readonly origin: string
  readonly vkeys: readonly string[]
  readonly size: number
  /** Base64. */
  readonly root: string
  /** When; RFC 3339. */
  readonly at: string
}

export type Outcome =
  | { readonly kind: 'good'; readonly size: number; readonly seen: Seen | undefined }
  | {
      readonly kind: 'wrong'
      readonly problem: { readonly first: number; readonly last: number; readonly what: string; readonly detail: string }
    }
  /** Its keys or its name are others than those that this browser knows. */
  | { readonly kind: 'other'; readonly seen: Seen }

export async function verifyHere(request: {
  readonly signal: AbortSignal
  readonly progress: (done: number, of: number) => void
}): Promise<Outcome> {
  const { signal, progress } = request
  const said = await client.auditHead({ signal })
  const seen = seenLast()
  if (seen !== undefined && (seen.origin !== said.origin || seen.vkeys.join('\n') !== said.vkeys.join('\n'))) return { kind: 'other', seen }
  let head: LogHead
  try {
    head = verifyCheckpoint(new TextEncoder().encode(said.checkpoint), said.vkeys.map(parseKey))
  } catch (error) {
    if (!isFailure(error) || !error.code.startsWith('audit.')) throw error
    return { kind: 'wrong', problem: { first: 0, last: Math.max(0, said.size - 1), what: 'signature', detail: error.message } }
  }
  const since = seen === undefined ? undefined : { size: seen.size, root: fromBase64(seen.root) }
  const { problem }: LogVerdict = await verifyLog({
    files: { read: (path) => client.auditFile(path, { signal }) },
    head,
    since,
    progress,
    signal,
  })
  if (problem !== undefined) return { kind: 'wrong', problem }
  if (signal.aborted) throw new Failure('base.cancelled')
  const now = { origin: said.origin, vkeys: said.vkeys, size: head.size, root: toBase64(head.root), at: new Date().toISOString() }
  remember('audit-head', JSON.stringify(now))
  return { kind: 'good', size: head.size, seen }
}

/** A person has decided that the log of now is the one. */
export function forgetSeen(): void {
  remember('audit-head', '')
}

function seenLast(): Seen | undefined {
  try {
    const value = JSON.parse(recall('audit-head') ?? '') as Partial<Seen>
    const { origin, vkeys, size, root, at } = value
    if (
      typeof origin !== 'string' ||
      !Array.isArray(vkeys) ||
      typeof size !== 'number' ||
      typeof root !== 'string' ||
      typeof at !== 'string'
    )
      return undefined
    return { origin, vkeys: vkeys.map(String), size, root, at }
  } catch {
    return undefined
  }
}
