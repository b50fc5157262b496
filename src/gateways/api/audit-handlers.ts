// The routes of the audit log.
import { Failure, utf8 } from '#base'
import type { auditRoutes } from '#contract'
import { type Answer, bytesAnswer } from './answer.ts'
import { CONTENT_SECURITY } from './content-headers.ts'
import type { Handlers } from './handlers.ts'

export const auditHandlers: Pick<Handlers, keyof typeof auditRoutes> = {
  auditHead: ({ door }) => door.auditHead(),
  auditEntries: ({ door, query }) => door.auditEntries(query),
  auditReceipt: async ({ door, params }) => {
    const index = /^(?:0|[1-9]\d{0,14})$/.test(params['index'] ?? '') ? Number(params['index']) : undefined
    if (index === undefined) throw new Failure('audit.absent')
    const bytes = await door.auditReceipt({ index })
    const disposition = { 'content-disposition': `attachment; filename="entry-${index}.tlog-proof"` }
    return bytesAnswer({ status: 200, type: 'text/plain; charset=utf-8', bytes, headers: { ...CONTENT_SECURITY, ...disposition } })
  },
  auditConsistency: ({ door, query }) => door.auditConsistency(query),
  auditVerify: async ({ door, request }) => streamed(jsonLines(door.auditVerify({ signal: request.signal }))),
  auditPersonal: async ({ door, request }) => {
    if (request.method === 'HEAD') return bytesAnswer({ status: 200, type: LINES, bytes: new Uint8Array(0) })
    return streamed(door.auditPersonal({ signal: request.signal }))
  },
  auditExport: ({ door, request }) => door.auditExport({ signal: request.signal }),
  auditErase: ({ door, body }) => door.auditErase(body),
  auditRestart: ({ door, body }) => door.auditRestart(body),
  auditCheckpoint: async ({ door }) => fileAnswer(await door.auditFile({ path: 'checkpoint' }), 'text/plain; charset=utf-8'),
  auditTile: async ({ door, params }) =>
    fileAnswer(await door.auditFile({ path: `tile/${params['*'] ?? ''}` }), 'application/octet-stream'),
}

const LINES = 'application/x-ndjson'

function fileAnswer(bytes: Uint8Array | undefined, type: string): Answer {
  if (bytes === undefined) throw new Failure('audit.absent', { detail: 'The log has no such tile.' })
  return bytesAnswer({ status: 200, type, bytes, headers: { ...CONTENT_SECURITY } })
}

function streamed(body: AsyncIterableIterator<Uint8Array>): Answer {
  return { status: 200, headers: { 'content-type': LINES, 'x-accel-buffering': 'no', ...CONTENT_SECURITY }, body }
}

async function* jsonLines(values: AsyncIterable<unknown>): AsyncIterableIterator<Uint8Array> {
  for await (const value of values) yield utf8(`${JSON.stringify(value)}\n`)
}
