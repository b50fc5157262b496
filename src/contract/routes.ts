// Every route of the API in one table. The server registers them from here, the client calls them from here.
import { z } from 'zod'
import * as c from './change.ts'
import * as h from './health.ts'
import * as p from './plan.ts'
import * as s from './schemas.ts'
import * as u from './uploads.ts'

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  /** Undefined for byte streams. */
  readonly answer?: z.ZodType
  readonly status: number
  readonly summary: string
}

const path = z.object({ path: s.vaultPath })
const none = z.object({})

export const routes = {
  site: { method: 'GET', path: '/api/v1/site', answer: s.site, status: 200, summary: 'What this site is' },
  status: {
    method: 'GET',
    path: '/api/v1/status',
    query: z.object({ check: z.stringbool().optional() }),
    answer: s.status,
    status: 200,
    summary: 'Health of the vault and its locations; check=true asks every location now',
  },
  createVault: {
    method: 'POST',
    path: '/api/v1/vault',
    body: s.vaultRequest,
    answer: s.vaultSummary,
    status: 201,
    summary: 'Make the vault',
  },
  addLocation: {
    method: 'POST',
    path: '/api/v1/locations',
    body: z.object({ spec: z.string().max(2000), label: z.string().max(100).optional() }),
    answer: s.locationStatus,
    status: 201,
    summary: 'Add a location; repair then fills it',
  },
  testLocation: {
    method: 'POST',
    path: '/api/v1/locations/test',
    body: z.object({ location: z.string() }),
    answer: s.capabilities,
    status: 200,
    summary: 'Try what a location (label or id) promises',
  },
  setTraits: {
    method: 'PUT',
    path: '/api/v1/locations/traits',
    body: h.traitsRequest,
    answer: h.measuredLocation,
    status: 200,
    summary: 'Say of a location (label or id) who runs it, where, and what it costs; replaces what was said before',
  },
  change: {
    method: 'GET',
    path: '/api/v1/change',
    answer: c.changeStatus,
    status: 200,
    summary: 'How far the vault is from its wanted shape',
  },
  previewChange: {
    method: 'POST',
    path: '/api/v1/change/preview',
    body: c.previewRequest,
    answer: c.changePreview,
    status: 200,
    summary: 'What a change would move, and how safe the vault is before, meanwhile and after; `adding` counts locations still to be added',
  },
  requestChange: {
    method: 'POST',
    path: '/api/v1/change',
    body: c.changeRequest,
    answer: c.changeStatus,
    status: 202,
    summary: 'Set the wanted shape and bring every object into it; an empty request fills added locations',
  },
  steerChange: {
    method: 'POST',
    path: '/api/v1/change/steer',
    body: c.steerRequest,
    answer: c.changeStatus,
    status: 200,
    summary: 'Pause, go on, cancel (what is changed stays changed; going back is another change), or set the pace',
  },
  list: {
    method: 'GET',
    path: '/api/v1/files',
    query: path.extend({
      recursive: z.stringbool().optional(),
      after: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(1000).optional(),
    }),
    answer: s.listing,
    status: 200,
    summary: 'A page of a folder, in code point order',
  },
  stat: { method: 'GET', path: '/api/v1/entry', query: path, answer: s.entry, status: 200, summary: 'One file or folder' },
  upload: {
    method: 'PUT',
    path: '/api/v1/content',
    query: path.extend({
      modified: s.timestamp.optional(),
      type: z.string().max(200).optional(),
      size: z.coerce.number().int().min(0).optional(),
      ifAbsent: z.stringbool().optional(),
    }),
    answer: s.stored,
    status: 201,
    summary: 'Store the body as a new version; size is refused when it differs from what came',
  },
  uploads: {
    method: 'GET',
    path: '/api/v1/uploads',
    query: z.object({ path: s.vaultPath.optional() }),
    answer: z.object({ uploads: z.array(u.upload) }),
    status: 200,
    summary: 'Unfinished uploads, and those that ended lately',
  },
  beginUpload: {
    method: 'POST',
    path: '/api/v1/uploads',
    body: u.uploadRequest,
    answer: u.uploadTurn,
    status: 201,
    summary: 'Begin an upload that can go on after any interruption, for seven days',
  },
  unfinishedUpload: {
    method: 'GET',
    path: '/api/v1/uploads/:id',
    answer: u.upload,
    status: 200,
    summary: 'How far an upload is; offset is where sending goes on',
  },
  wakeUpload: {
    method: 'POST',
    path: '/api/v1/uploads/:id/wake',
    answer: u.upload,
    status: 200,
    summary: 'Have a parked upload read back; ask again while it is checking',
  },
  takeUpload: {
    method: 'POST',
    path: '/api/v1/uploads/:id/take',
    body: u.uploadProof,
    answer: u.uploadTurn,
    status: 200,
    summary: 'Take the turn by proving the same source: SHA-256 of its first offset bytes',
  },
  sendUpload: {
    method: 'PUT',
    path: '/api/v1/uploads/:id/content',
    query: z.object({ turn: s.hexId, offset: z.coerce.number().int().min(0) }),
    answer: u.upload,
    status: 200,
    summary: 'Send bytes from the offset on; what arrived before the body broke off is kept',
  },
  finishUpload: {
    method: 'POST',
    path: '/api/v1/uploads/:id/finish',
    body: z.object({ turn: s.hexId }),
    answer: s.stored,
    status: 201,
    summary: 'Store the upload as a new version; asked again it answers the same',
  },
  cancelUpload: {
    method: 'DELETE',
    path: '/api/v1/uploads/:id',
    answer: u.upload,
    status: 200,
    summary: 'Remove an unfinished upload and what it wrote',
  },
  download: {
    method: 'GET',
    path: '/api/v1/content',
    query: path.extend({ version: z.coerce.number().int().min(1).optional(), inline: z.stringbool().optional() }),
    status: 200,
    summary: 'The bytes; honours Range (one range); ETag is opaque',
  },
  createFolder: {
    method: 'POST',
    path: '/api/v1/folders',
    body: path,
    answer: s.entry,
    status: 201,
    summary: 'Make a folder and those above it',
  },
  move: {
    method: 'POST',
    path: '/api/v1/move',
    body: z.object({ from: s.vaultPath, to: s.vaultPath, replace: z.boolean().default(false) }),
    answer: s.entry,
    status: 200,
    summary: 'Rename or move a file or folder',
  },
  copy: {
    method: 'POST',
    path: '/api/v1/copy',
    body: z.object({ from: s.vaultPath, to: s.vaultPath, replace: z.boolean().default(false) }),
    answer: s.entry,
    status: 201,
    summary: 'Copy a file or folder; costs no bytes',
  },
  remove: {
    method: 'DELETE',
    path: '/api/v1/files',
    query: path.extend({ recursive: z.stringbool().optional(), version: z.coerce.number().int().min(1).optional() }),
    answer: z.object({ removed: z.number().int() }),
    status: 200,
    summary: 'Remove a file with its versions, one version, or a folder',
  },
  versions: {
    method: 'GET',
    path: '/api/v1/versions',
    query: path,
    answer: s.versions,
    status: 200,
    summary: 'All versions of a file, newest first',
  },
  placement: {
    method: 'GET',
    path: '/api/v1/placement',
    query: path.extend({ version: z.coerce.number().int().min(1).optional() }),
    answer: s.placement,
    status: 200,
    summary: 'Where each fragment of a file lies',
  },
  fragment: {
    method: 'GET',
    path: '/api/v1/fragment',
    query: path.extend({
      x: z.coerce.number().int().min(1).max(255),
      offset: z.coerce.number().int().min(0).default(0),
      length: z.coerce.number().int().min(1).max(1_048_576).default(4096),
    }),
    status: 200,
    summary: 'Raw bytes of one fragment as the location keeps it',
  },
  scrub: {
    method: 'POST',
    path: '/api/v1/scrub',
    body: s.scrubRequest,
    answer: s.task,
    status: 202,
    summary: 'Check every fragment of every location, or of one',
  },
  health: {
    method: 'GET',
    path: '/api/v1/health',
    answer: h.healthView,
    status: 200,
    summary: 'Schedule of checking, repair debt, and what the locations did in the last 30 days',
  },
  setHealth: {
    method: 'PUT',
    path: '/api/v1/health',
    body: h.healthRequest,
    answer: h.healthView,
    status: 200,
    summary: 'Change the schedule of checking and the automatic repair; what is not named stays',
  },
  healthHistory: {
    method: 'GET',
    path: '/api/v1/health/history',
    query: z.object({ days: z.coerce.number().int().min(1).max(3653).optional() }),
    answer: h.healthHistory,
    status: 200,
    summary: 'How the vault was: samples of the last days (default 365)',
  },
  plan: {
    method: 'POST',
    path: '/api/v1/plan',
    body: p.planRequest,
    answer: p.plan,
    status: 200,
    summary: 'Compare choices of locations, threshold and layout: cost, availability, loss, who could read together. Changes nothing',
  },
  repair: {
    method: 'POST',
    path: '/api/v1/repair',
    body: s.repairRequest,
    answer: s.task,
    status: 202,
    summary: 'Write again what is lost, corrupt or pending',
  },
  recover: {
    method: 'POST',
    path: '/api/v1/recover',
    body: z.object({
      locations: z
        .array(z.object({ spec: z.string(), label: z.string().optional() }))
        .min(2)
        .max(32),
      passphrase: z.string().optional(),
    }),
    answer: s.task,
    status: 202,
    summary: 'Rebuild the catalogue of a vault from its locations on a site without one',
  },
  tasks: {
    method: 'GET',
    path: '/api/v1/tasks',
    answer: z.object({ tasks: z.array(s.task) }),
    status: 200,
    summary: 'Running and recent long work',
  },
  task: { method: 'GET', path: '/api/v1/tasks/:id', answer: s.task, status: 200, summary: 'One task' },
  cancelTask: {
    method: 'DELETE',
    path: '/api/v1/tasks/:id',
    answer: s.task,
    status: 200,
    summary: 'Cancel a task; what is done stays done',
  },
  events: {
    method: 'GET',
    path: '/api/v1/events',
    status: 200,
    summary: 'Server-sent events, one `event` of the schemas as JSON in each data line',
  },
  openSession: {
    method: 'POST',
    path: '/api/v1/session',
    body: z.object({ code: z.string().min(10).max(200) }),
    answer: none,
    status: 200,
    summary: 'Exchange the code of the start link for a session cookie (loopback only)',
  },
} as const satisfies Record<string, Route>

export type Routes = typeof routes
