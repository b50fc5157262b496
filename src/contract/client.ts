// A typed client of the routes over any transport: a socket, an in-process site, or fetch in the browser.
import type { z } from 'zod'
import { Failure, CODES, type FailureCode, fromUtf8 } from '#base'
import { collect, parsed, readJson } from './answers.ts'
import {
  problem,
  type Entry,
  type Listing,
  type Placement,
  type Problem,
  type Site,
  type Status,
  type Stored,
  type Task,
  type VaultRequest,
  type VaultSummary,
  type Versions,
  type LocationStatus,
} from './schemas.ts'
import type { Candidates, GrantList, grantRequest } from './grants.ts'
import type { HealthHistory, HealthRequest, HealthView, MeasuredLocation, ScrubDepth, Traits } from './health.ts'
import type { DrillAnswer, DrillRequest, DrillVerdict, ImportPreview, ImportPreviewRequest, ImportRequest } from './drill.ts'
import type { Kit, KitRequest, RestoreRequest } from './kit.ts'
import type { Plan, PlanRequest } from './plan.ts'
import type { ChangePreview, ChangeRequest, ChangeStatus, PreviewRequest, SteerRequest } from './change.ts'
import { identityCalls, type IdentityCalls } from './identity-calls.ts'
import { routes, type Route } from './routes.ts'
import type { WriterKey, WriterList } from './writers.ts'
import { auditCalls, type AuditCalls } from './audit-calls.ts'
import { alarmCalls, type AlarmCalls } from './alarm-calls.ts'
import { uploadCalls, type UploadCalls } from './upload-calls.ts'
import type { Capabilities } from './contract.ts'
import type { DeletionListing, KeepingRule, KeepingView, MomentPlan, PurgePlan, Removal, TrashListing } from './trash.ts'

export interface TransportRequest {
  readonly method: string
  /** Path with query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  /** Its producer may overwrite a part once the next one is asked for. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined
  readonly signal?: AbortSignal | undefined
}

export interface TransportAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** A part is valid until the next one is asked for. */
  readonly body: AsyncIterable<Uint8Array>
}

export type Transport = (request: TransportRequest) => Promise<TransportAnswer>

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

export interface UploadRequest {
  readonly path: string
  readonly body: AsyncIterable<Uint8Array> | Uint8Array
  readonly size?: number | undefined
  readonly modified?: string | undefined
  readonly type?: string | undefined
  readonly ifAbsent?: boolean | undefined
}

/** Bytes first..last, inclusive; last undefined = to the end. Or the last `suffix` bytes. */
export type ByteRange = { readonly first: number; readonly last?: number | undefined } | { readonly suffix: number }

export interface DownloadRequest {
  readonly path: string
  readonly version?: number | undefined
  readonly range?: ByteRange | undefined
  /** The etag of an earlier answer: refused with `api.precondition` when the file is another one now. */
  readonly ifMatch?: string | undefined
}

export interface Download {
  /** Bytes of the body: of the range where one was asked for. */
  readonly size: number
  /** Bytes of the whole file. */
  readonly whole: number
  /** Opaque; another one when the content may be another. */
  readonly etag: string
  readonly type: string
  readonly modified: string
  /** Ends with a failure, never short: a download that stops early throws. A piece is valid until the next one is asked for. */
  readonly body: AsyncIterable<Uint8Array>
}

/** Calls of a site. Every refusal is a `Failure` with the code of the server. */
export interface Client extends UploadCalls, IdentityCalls, AuditCalls, AlarmCalls {
  site(options?: CallOptions): Promise<Site>
  status(query?: { check?: boolean }, options?: CallOptions): Promise<Status>
  createVault(body: VaultRequest, options?: CallOptions): Promise<VaultSummary>
  addLocation(body: { spec: string; label?: string }, options?: CallOptions): Promise<LocationStatus>
  testLocation(body: { location: string }, options?: CallOptions): Promise<Capabilities>
  setTraits(body: { location: string; traits: Traits }, options?: CallOptions): Promise<MeasuredLocation>
  change(options?: CallOptions): Promise<ChangeStatus>
  previewChange(body: PreviewRequest, options?: CallOptions): Promise<ChangePreview>
  requestChange(body: ChangeRequest, options?: CallOptions): Promise<ChangeStatus>
  steerChange(body: SteerRequest, options?: CallOptions): Promise<ChangeStatus>
  list(query: { path: string; recursive?: boolean; after?: string; limit?: number }, options?: CallOptions): Promise<Listing>
  stat(query: { path: string }, options?: CallOptions): Promise<Entry>
  upload(request: UploadRequest, options?: CallOptions): Promise<Stored>
  download(request: DownloadRequest, options?: CallOptions): Promise<Download>
  verifyContent(body: { path: string; version?: number; sha256: string }, options?: CallOptions): Promise<{ same: boolean }>
  createFolder(body: { path: string }, options?: CallOptions): Promise<Entry>
  move(body: { from: string; to: string; replace?: boolean }, options?: CallOptions): Promise<Entry>
  copy(body: { from: string; to: string; replace?: boolean }, options?: CallOptions): Promise<Entry>
  remove(query: { path: string; recursive?: boolean; version?: number; now?: boolean }, options?: CallOptions): Promise<Removal>
  search(query: { path: string; text: string; after?: string; limit?: number }, options?: CallOptions): Promise<Listing>
  /** What the asker may do there, and, for who manages it, who else may. */
  grants(query: { path: string }, options?: CallOptions): Promise<GrantList>
  candidates(query: { path: string; text: string }, options?: CallOptions): Promise<Candidates>
  setGrant(body: z.input<typeof grantRequest>, options?: CallOptions): Promise<GrantList>
  versions(query: { path: string }, options?: CallOptions): Promise<Versions>
  trash(query?: { after?: string; limit?: number }, options?: CallOptions): Promise<TrashListing>
  restoreTrash(body: { id: string; to?: string }, options?: CallOptions): Promise<Entry>
  emptyTrash(body: { ids?: readonly string[] }, options?: CallOptions): Promise<Task>
  restoreVersion(body: { path: string; version: number }, options?: CallOptions): Promise<Entry>
  keeping(query: { path: string }, options?: CallOptions): Promise<KeepingView>
  keepingRules(options?: CallOptions): Promise<{ rules: KeepingView[] }>
  setKeeping(body: KeepingRule & { path: string; release?: boolean }, options?: CallOptions): Promise<KeepingView>
  planPurge(options?: CallOptions): Promise<PurgePlan>
  purge(options?: CallOptions): Promise<Task>
  planMoment(query: { path: string; at: string }, options?: CallOptions): Promise<MomentPlan>
  restoreMoment(body: { path: string; at: string }, options?: CallOptions): Promise<Task>
  deletions(query?: { after?: string; limit?: number }, options?: CallOptions): Promise<DeletionListing>
  deletionRecord(id: string, options?: CallOptions): Promise<Uint8Array>
  placement(query: { path: string; version?: number }, options?: CallOptions): Promise<Placement>
  fragment(query: { path: string; x: number; offset?: number; length?: number }, options?: CallOptions): Promise<Uint8Array>
  scrub(body: { depth?: ScrubDepth; location?: string }, options?: CallOptions): Promise<Task>
  health(options?: CallOptions): Promise<HealthView>
  setHealth(body: HealthRequest, options?: CallOptions): Promise<HealthView>
  healthHistory(query?: { days?: number }, options?: CallOptions): Promise<HealthHistory>
  plan(body: PlanRequest, options?: CallOptions): Promise<Plan>
  repair(body: { path?: string }, options?: CallOptions): Promise<Task>
  previewImport(body: ImportPreviewRequest, options?: CallOptions): Promise<ImportPreview>
  importFiles(body: ImportRequest, options?: CallOptions): Promise<Task>
  drill(body: DrillRequest, options?: CallOptions): Promise<Task>
  lastDrill(options?: CallOptions): Promise<DrillAnswer>
  verifyDrill(body: { report: unknown }, options?: CallOptions): Promise<DrillVerdict>
  makeKit(body: KitRequest, options?: CallOptions): Promise<Kit>
  restore(body: RestoreRequest, options?: CallOptions): Promise<Task>
  join(body: { locations: { spec: string; label?: string }[]; dealer?: string; passphrase?: string }, options?: CallOptions): Promise<Task>
  writerKey(body: { passphrase?: string }, options?: CallOptions): Promise<WriterKey>
  writers(options?: CallOptions): Promise<WriterList>
  addWriter(body: { line: string; name: string }, options?: CallOptions): Promise<WriterList>
  removeWriter(writer: string, options?: CallOptions): Promise<WriterList>
  acknowledge(body: { alarm: string }, options?: CallOptions): Promise<WriterList>
  recover(body: { locations: { spec: string; label?: string }[]; passphrase?: string }, options?: CallOptions): Promise<Task>
  tasks(options?: CallOptions): Promise<{ tasks: Task[] }>
  task(id: string, options?: CallOptions): Promise<Task>
  cancelTask(id: string, options?: CallOptions): Promise<Task>
  /** The API as an OpenAPI 3.1 document. */
  openapi(options?: CallOptions): Promise<object>
  openSession(body: { code: string }, options?: CallOptions): Promise<object>
}

export function createClient(transport: Transport): Client {
  const call = async (
    route: Route,
    input: { query?: object; body?: unknown; params?: Record<string, string> },
    options: CallOptions = {},
  ): Promise<never> => {
    const answer = await send(transport, route, input, options)
    return parsed(route.answer!, await readJson(answer.body)) as never
  }
  return {
    site: (options) => call(routes.site, {}, options),
    status: (query = {}, options) => call(routes.status, { query }, options),
    createVault: (body, options) => call(routes.createVault, { body }, options),
    addLocation: (body, options) => call(routes.addLocation, { body }, options),
    testLocation: (body, options) => call(routes.testLocation, { body }, options),
    setTraits: (body, options) => call(routes.setTraits, { body }, options),
    change: (options) => call(routes.change, {}, options),
    previewChange: (body, options) => call(routes.previewChange, { body }, options),
    requestChange: (body, options) => call(routes.requestChange, { body }, options),
    steerChange: (body, options) => call(routes.steerChange, { body }, options),
    list: (query, options) => call(routes.list, { query }, options),
    stat: (query, options) => call(routes.stat, { query }, options),
    verifyContent: (body, options) => call(routes.verifyContent, { body }, options),
    createFolder: (body, options) => call(routes.createFolder, { body }, options),
    move: (body, options) => call(routes.move, { body }, options),
    copy: (body, options) => call(routes.copy, { body }, options),
    remove: (query, options) => call(routes.remove, { query }, options),
    search: (query, options) => call(routes.search, { query }, options),
    grants: (query, options) => call(routes.grants, { query }, options),
    candidates: (query, options) => call(routes.candidates, { query }, options),
    setGrant: (body, options) => call(routes.setGrant, { body }, options),
    versions: (query, options) => call(routes.versions, { query }, options),
    trash: (query = {}, options) => call(routes.trash, { query }, options),
    restoreTrash: (body, options) => call(routes.restoreTrash, { body }, options),
    emptyTrash: (body, options) => call(routes.emptyTrash, { body }, options),
    restoreVersion: (body, options) => call(routes.restoreVersion, { body }, options),
    keeping: (query, options) => call(routes.keeping, { query }, options),
    keepingRules: (options) => call(routes.keepingRules, {}, options),
    setKeeping: (body, options) => call(routes.setKeeping, { body }, options),
    planPurge: (options) => call(routes.planPurge, {}, options),
    purge: (options) => call(routes.purge, { body: {} }, options),
    planMoment: (query, options) => call(routes.planMoment, { query }, options),
    restoreMoment: (body, options) => call(routes.restoreMoment, { body }, options),
    deletions: (query = {}, options) => call(routes.deletions, { query }, options),
    deletionRecord: async (id, options) => collect((await send(transport, routes.deletionRecord, { params: { id } }, options ?? {})).body),
    placement: (query, options) => call(routes.placement, { query }, options),
    scrub: (body, options) => call(routes.scrub, { body }, options),
    health: (options) => call(routes.health, {}, options),
    setHealth: (body, options) => call(routes.setHealth, { body }, options),
    healthHistory: (query = {}, options) => call(routes.healthHistory, { query }, options),
    plan: (body, options) => call(routes.plan, { body }, options),
    repair: (body, options) => call(routes.repair, { body }, options),
    previewImport: (body, options) => call(routes.previewImport, { body }, options),
    importFiles: (body, options) => call(routes.importFiles, { body }, options),
    drill: (body, options) => call(routes.drill, { body }, options),
    lastDrill: (options) => call(routes.lastDrill, {}, options),
    verifyDrill: (body, options) => call(routes.verifyDrill, { body }, options),
    makeKit: (body, options) => call(routes.makeKit, { body }, options),
    restore: (body, options) => call(routes.restore, { body }, options),
    join: (body, options) => call(routes.join, { body }, options),
    writerKey: (body, options) => call(routes.writerKey, { body }, options),
    writers: (options) => call(routes.writers, {}, options),
    addWriter: (body, options) => call(routes.addWriter, { body }, options),
    removeWriter: (id, options) => call(routes.removeWriter, { params: { id } }, options),
    acknowledge: (body, options) => call(routes.acknowledge, { body }, options),
    recover: (body, options) => call(routes.recover, { body }, options),
    tasks: (options) => call(routes.tasks, {}, options),
    task: (id, options) => call(routes.task, { params: { id } }, options),
    cancelTask: (id, options) => call(routes.cancelTask, { params: { id } }, options),
    openapi: async (options = {}) => readJson((await send(transport, routes.openapi, {}, options)).body),
    openSession: (body, options) => call(routes.openSession, { body }, options),
    ...identityCalls(call),
    ...auditCalls(call, async (route, input, options) => (await send(transport, route, input, options)).body, collect),
    ...alarmCalls(call),
    ...uploadCalls(call, async ({ query, params, body, size, options }) => {
      const headers = { 'content-type': 'application/octet-stream', ...(size === undefined ? {} : { 'content-length': String(size) }) }
      const address = target(routes.sendUpload, { query, params })
      const answer = await checked(await transport({ method: 'PUT', target: address, headers, body, signal: options.signal }))
      return readJson(answer.body)
    }),
    upload: async ({ body, ...query }, options = {}) => {
      const answer = await checked(
        await transport({
          method: 'PUT',
          target: target(routes.upload, { query }),
          headers: {
            'content-type': 'application/octet-stream',
            ...(query.size === undefined ? {} : { 'content-length': String(query.size) }),
          },
          body,
          signal: options.signal,
        }),
      )
      return parsed(routes.upload.answer, await readJson(answer.body))
    },
    download: async ({ range, ifMatch, ...query }, options = {}) => {
      const headers: Record<string, string> = {
        ...(range === undefined ? {} : { range: rangeHeader(range) }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      }
      const answer = await checked(
        await transport({ method: 'GET', target: target(routes.download, { query }), headers, signal: options.signal }),
      )
      const size = Number(answer.headers['content-length'])
      const whole = /\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1]
      return {
        size,
        whole: whole === undefined ? size : Number(whole),
        etag: answer.headers['etag'] ?? '',
        type: answer.headers['content-type'] ?? 'application/octet-stream',
        modified: answer.headers['last-modified'] ?? '',
        body: exactly(answer.body, size),
      }
    },
    fragment: async (query, options) => collect((await send(transport, routes.fragment, { query }, options ?? {})).body),
  }
}

function rangeHeader(range: ByteRange): string {
  return 'suffix' in range ? `bytes=-${range.suffix}` : `bytes=${range.first}-${range.last ?? ''}`
}

async function send(
  transport: Transport,
  route: Route,
  input: { query?: object; body?: unknown; params?: Record<string, string> },
  options: CallOptions,
): Promise<TransportAnswer> {
  const body = input.body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(input.body))
  return checked(
    await transport({
      method: route.method,
      target: target(route, input),
      headers: body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(body.length) },
      body,
      signal: options.signal,
    }),
  )
}

/** Path and query of a call. */
export function target(route: Route, input: { query?: object; params?: Record<string, string> }): string {
  const path = route.path
    .replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(input.params?.[name] ?? ''))
    .replace(/\*$/, () => input.params?.['*'] ?? '')
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value === undefined) continue
    // It would travel as another character, and name another file.
    if (!String(value).isWellFormed()) throw new Failure('base.invalid', { detail: `The ${name} holds half a character.` })
    query.set(name, String(value))
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`
}

async function checked(answer: TransportAnswer): Promise<TransportAnswer> {
  if (answer.status < 400) return answer
  throw toFailure(answer.status, await collect(answer.body))
}

/** The failure that the body of a refusal stands for. */
export function toFailure(status: number, body: Uint8Array): Failure {
  let document: Problem | undefined
  try {
    document = problem.parse(JSON.parse(fromUtf8(body)))
  } catch {
    document = undefined
  }
  return document === undefined ? new Failure('base.internal', { detail: `The site answered ${status}.` }) : failureOf(document)
}

/** The failure that a problem document stands for. */
export function failureOf({ code, detail, culprits, next }: Problem): Failure {
  const known = Object.hasOwn(CODES, code) ? (code as FailureCode) : 'base.internal'
  return new Failure(known, { detail, culprits, ...(next === undefined ? {} : { next }) })
}

async function* exactly(body: AsyncIterable<Uint8Array>, size: number): AsyncIterable<Uint8Array> {
  let length = 0
  for await (const part of body) {
    length += part.length
    yield part
  }
  if (length !== size)
    throw new Failure('format.content', {
      detail: `the download ended after ${length} of ${size} bytes`,
      next: 'Try again; what was received is not the whole file.',
    })
}
