// One line for each route: how the call of the contract becomes a call of the door.
import type { z } from 'zod'
import type { Door } from '#access'
import { Failure } from '#base'
import type { IdentityRoutes, Routes, Stored } from '#contract'
import { auditHandlers } from './audit-handlers.ts'
import { bytesAnswer, type Answer, type ApiRequest } from './answer.ts'
import { alarmHandlers } from './alarm-handlers.ts'
import { announced } from './body.ts'
import { CONTENT_SECURITY } from './content-headers.ts'
import { download } from './download.ts'
import { createEvents, type EventBounds } from './events.ts'

export type RouteName = keyof Routes
/** Sessions belong to an entrance, not to the door. */
export type ServedRoute = Exclude<RouteName, 'openSession'>
/** Those that the door answers; what is about people does not pass it. */
export type DoorRoute = Exclude<ServedRoute, keyof IdentityRoutes>

export type QueryOf<N extends RouteName> = Routes[N] extends { readonly query: infer Q extends z.ZodType } ? z.output<Q> : object
export type BodyOf<N extends RouteName> = Routes[N] extends { readonly body: infer B extends z.ZodType } ? z.output<B> : undefined
export type AnswerOf<N extends RouteName> = Routes[N] extends { readonly answer: infer A extends z.ZodType } ? z.input<A> : Answer

export interface Call<N extends RouteName> {
  readonly door: Door
  readonly request: ApiRequest
  readonly params: Readonly<Record<string, string>>
  readonly query: QueryOf<N>
  readonly body: BodyOf<N>
}

export type Handlers = { readonly [N in DoorRoute]: (call: Call<N>) => Promise<AnswerOf<N>> }

export function createHandlers(bounds: EventBounds): Handlers {
  const events = createEvents(bounds)
  return {
    ...auditHandlers,
    site: ({ door }) => door.site(),
    status: ({ door, query }) => door.status({ check: query.check ?? false }),
    createVault: ({ door, body }) => door.createVault(body),
    addLocation: ({ door, body }) => door.addLocation(body),
    testLocation: ({ door, body }) => door.testLocation(body),
    setTraits: ({ door, body }) => door.setTraits(body),
    change: ({ door }) => door.change(),
    previewChange: ({ door, body }) => door.previewChange(body),
    requestChange: ({ door, body }) => door.requestChange(body),
    steerChange: ({ door, body }) => door.steerChange(body),
    list: ({ door, query }) => door.list({ ...query, recursive: query.recursive ?? false }),
    search: ({ door, query }) => door.search(query),
    stat: ({ door, query }) => door.stat(query),
    upload,
    uploads: async ({ door, query }) => ({ uploads: [...(await door.uploads(query))] }),
    beginUpload: ({ door, body }) => door.beginUpload(body),
    unfinishedUpload: ({ door, params }) => door.upload(params['id'] ?? ''),
    wakeUpload: ({ door, params }) => door.wakeUpload(params['id'] ?? ''),
    takeUpload: ({ door, params, body }) => door.takeUpload(params['id'] ?? '', body),
    sendUpload: ({ door, params, query, request }) => door.sendUpload(params['id'] ?? '', query, request.body),
    finishUpload: ({ door, params, body }) => door.finishUpload(params['id'] ?? '', body),
    cancelUpload: ({ door, params }) => door.cancelUpload(params['id'] ?? ''),
    download: ({ door, query, request }) => download(door, query, request),
    verifyContent: async ({ door, body }) => {
      const grant = await door.openToRead({ path: body.path, version: body.version })
      try {
        return { same: grant.hasDigest(body.sha256) }
      } finally {
        await grant.close()
      }
    },
    createFolder: ({ door, body }) => door.createFolder(body),
    move: ({ door, body }) => door.move(body),
    copy: ({ door, body }) => door.copy(body),
    remove: ({ door, query }) => door.remove({ ...query, recursive: query.recursive ?? false }),
    trash: ({ door, query }) => door.trash(query),
    restoreTrash: ({ door, body }) => door.restoreTrash(body),
    emptyTrash: ({ door, body }) => door.emptyTrash(body),
    restoreVersion: ({ door, body }) => door.restoreVersion(body),
    keeping: ({ door, query }) => door.keeping(query),
    keepingRules: async ({ door }) => ({ rules: [...(await door.keepingRules())] }),
    setKeeping: ({ door, body }) => door.setKeeping(body),
    planPurge: ({ door }) => door.planPurge(),
    purge: ({ door }) => door.purge(),
    planMoment: ({ door, query }) => door.planMoment(query),
    restoreMoment: ({ door, body }) => door.restoreMoment(body),
    deletions: ({ door, query }) => door.deletions(query),
    deletionRecord: async ({ door, params }) => {
      const id = params['id'] ?? ''
      const disposition = { 'content-disposition': `attachment; filename="deletion-${/^[0-9a-f]{32}$/.test(id) ? id : 'record'}.json"` }
      const bytes = await door.deletionRecord({ id })
      return bytesAnswer({ status: 200, type: 'application/json', bytes, headers: { ...CONTENT_SECURITY, ...disposition } })
    },
    grants: ({ door, query }) => door.grants(query),
    candidates: ({ door, query }) => door.candidates(query),
    setGrant: ({ door, body }) => door.setGrant(body),
    versions: ({ door, query }) => door.versions(query),
    placement: ({ door, query }) => door.placement(query),
    fragment,
    scrub: ({ door, body }) => door.scrub(body),
    health: ({ door }) => door.health(),
    setHealth: ({ door, body }) => door.setHealth(body),
    healthHistory: ({ door, query }) => door.healthHistory(query),
    plan: ({ door, body }) => door.plan(body),
    repair: ({ door, body }) => door.repair(body),
    previewImport: ({ door, body }) => door.previewImport(body),
    importFiles: ({ door, body }) => door.importFiles(body),
    drill: ({ door, body }) => door.drill(body),
    lastDrill: ({ door }) => door.lastDrill(),
    verifyDrill: ({ door, body }) => door.verifyDrill(body),
    makeKit: ({ door, body }) => door.makeKit(body),
    restore: ({ door, body }) => door.restore(body),
    join: ({ door, body }) => door.join(body),
    writerKey: ({ door, body }) => door.writerKey(body),
    writers: ({ door }) => door.writers(),
    addWriter: ({ door, body }) => door.addWriter(body),
    removeWriter: ({ door, params }) => door.removeWriter({ writer: params['id'] ?? '' }),
    acknowledge: ({ door, body }) => door.acknowledge(body),
    recover: ({ door, body }) => door.recover(body),
    ...alarmHandlers,
    tasks: async ({ door }) => ({ tasks: [...(await door.tasks())] }),
    task: ({ door, params }) => door.task(params['id'] ?? ''),
    cancelTask: ({ door, params }) => door.cancelTask(params['id'] ?? ''),
    events: async ({ door, request }) => {
      if (request.method === 'HEAD') return bytesAnswer({ status: 200, type: 'text/event-stream', bytes: new Uint8Array(0) })
      return events(door, request.signal)
    },
    openapi: async ({ door }) => {
      const [{ openApi }, { version }] = await Promise.all([import('./openapi.ts'), door.site()])
      return bytesAnswer({ status: 200, type: 'application/json', bytes: Buffer.from(JSON.stringify(openApi({ version }))) })
    },
  }
}

/** The size is known from the query or the length header; both must agree, and the bytes must agree with them. */
async function upload({ door, query, request }: Call<'upload'>): Promise<Stored> {
  const length = request.headers['content-length']
  const sizeBytes = query.size ?? (length === undefined ? undefined : Number(length))
  if (query.size !== undefined && length !== undefined && query.size !== Number(length)) {
    throw new Failure('storage.size-differs', { detail: `The upload announces ${query.size} bytes and sends ${length}.` })
  }
  const { path, modified, type, ifAbsent = false } = query
  const grant = await door.openToWrite({ path, modified, type, sizeBytes, ifAbsent })
  return grant.store(sizeBytes === undefined ? request.body : announced(request.body, sizeBytes), request.signal)
}

async function fragment({ door, query }: Call<'fragment'>): Promise<Answer> {
  const bytes = await door.fragment({ path: query.path, x: query.x, offset: query.offset, lengthBytes: query.length })
  return bytesAnswer({ status: 200, type: 'application/octet-stream', bytes, headers: CONTENT_SECURITY })
}
