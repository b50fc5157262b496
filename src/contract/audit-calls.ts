// Calls of the client for the audit log.
import { concat, Failure, fromUtf8, isFailure } from '#base'
import {
  auditStep,
  type AuditConsistency,
  type AuditExport,
  type AuditHead,
  type AuditPage,
  type AuditQuery,
  type auditRoutes,
  type AuditStep,
  type EraseRequest,
} from './audit.ts'
import type { CallOptions } from './client.ts'
import { routes } from './routes.ts'

export interface AuditCalls {
  auditHead(options?: CallOptions): Promise<AuditHead>
  /** Newest first. */
  auditEntries(query?: AuditQuery, options?: CallOptions): Promise<AuditPage>
  /** A `.tlog-proof`. */
  auditReceipt(index: number, options?: CallOptions): Promise<Uint8Array>
  auditConsistency(query: { from: number }, options?: CallOptions): Promise<AuditConsistency>
  /** The site recomputes its log; the last step is the verdict. Ends with a failure, never without a verdict. */
  auditVerify(options?: CallOptions): AsyncGenerator<AuditStep>
  /** Lines of JSON, in parts as they come. */
  auditPersonal(options?: CallOptions): Promise<AsyncIterable<Uint8Array>>
  /** In the home of the site. */
  auditExport(options?: CallOptions): Promise<AuditExport>
  auditErase(body: EraseRequest, options?: CallOptions): Promise<{ entries: number }>
  auditRestart(body: { reason: string }, options?: CallOptions): Promise<AuditHead>
  /** `checkpoint` or `tile/...`; undefined for what the log does not have. */
  auditFile(path: string, options?: CallOptions): Promise<Uint8Array | undefined>
}

type AuditRoute = (typeof auditRoutes)[keyof typeof auditRoutes]
type Input = { query?: object; body?: unknown; params?: Record<string, string> }

const LINE_BYTES_MAX = 65_536

export function auditCalls(
  call: (route: AuditRoute, input: Input, options?: CallOptions) => Promise<never>,
  stream: (route: AuditRoute, input: Input, options: CallOptions) => Promise<AsyncIterable<Uint8Array>>,
  whole: (body: AsyncIterable<Uint8Array>) => Promise<Uint8Array>,
): AuditCalls {
  return {
    auditHead: (options) => call(routes.auditHead, {}, options),
    auditEntries: (query = {}, options) => call(routes.auditEntries, { query }, options),
    auditReceipt: async (index, options = {}) => whole(await stream(routes.auditReceipt, { params: { index: String(index) } }, options)),
    auditConsistency: (query, options) => call(routes.auditConsistency, { query }, options),
    auditVerify: async function* (options = {}) {
      let last: AuditStep | undefined
      for await (const line of linesOf(await stream(routes.auditVerify, { body: {} }, options))) {
        last = auditStep.parse(JSON.parse(fromUtf8(line)))
        yield last
      }
      if (last?.kind !== 'verdict') throw new Failure('api.unreachable', { detail: 'The verification ended without a verdict.' })
    },
    auditPersonal: (options = {}) => stream(routes.auditPersonal, {}, options),
    auditExport: (options) => call(routes.auditExport, { body: {} }, options),
    auditErase: (body, options) => call(routes.auditErase, { body }, options),
    auditRestart: (body, options) => call(routes.auditRestart, { body }, options),
    auditFile: async (path, options = {}) => {
      try {
        if (path === 'checkpoint') return await whole(await stream(routes.auditCheckpoint, {}, options))
        return await whole(await stream(routes.auditTile, { params: { '*': path.replace(/^tile\//, '') } }, options))
      } catch (error) {
        if (isFailure(error, 'audit.absent')) return undefined
        throw error
      }
    },
  }
}

/** Lines without their newlines. A part is copied before the next one is asked for. */
export async function* linesOf(body: AsyncIterable<Uint8Array>, bytesMax = LINE_BYTES_MAX): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0)
  for await (const part of body) {
    const bytes = concat(rest, part)
    let start = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield bytes.subarray(start, end)
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > bytesMax) throw new Failure('api.limit', { detail: 'A line is too long.' })
  }
  if (rest.length > 0) yield rest
}
