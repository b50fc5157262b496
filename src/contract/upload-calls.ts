// Calls of the client for uploads that go on.
import { parsed } from './answers.ts'
import { routes } from './routes.ts'
import type { CallOptions } from './client.ts'
import type { Stored } from './schemas.ts'
import type { Upload, UploadBegin, UploadProof, UploadTurn } from './uploads.ts'

export interface SendUploadRequest {
  readonly id: string
  readonly turn: string
  readonly offset: number
  readonly body: AsyncIterable<Uint8Array> | Uint8Array
  /** Bytes of the body, where they are known. */
  readonly size?: number | undefined
}

export interface UploadCalls {
  uploads(query?: { path?: string }, options?: CallOptions): Promise<{ uploads: Upload[] }>
  beginUpload(body: UploadBegin, options?: CallOptions): Promise<UploadTurn>
  unfinishedUpload(id: string, options?: CallOptions): Promise<Upload>
  wakeUpload(id: string, options?: CallOptions): Promise<Upload>
  takeUpload(id: string, body: UploadProof, options?: CallOptions): Promise<UploadTurn>
  sendUpload(request: SendUploadRequest, options?: CallOptions): Promise<Upload>
  finishUpload(id: string, body: { turn: string }, options?: CallOptions): Promise<Stored>
  cancelUpload(id: string, options?: CallOptions): Promise<Upload>
}

type Call = (
  route: (typeof routes)[keyof UploadCalls],
  input: { query?: object; body?: unknown; params?: Record<string, string> },
  options?: CallOptions,
) => Promise<never>

export function uploadCalls(
  call: Call,
  stream: (request: {
    readonly query: object
    readonly params: Record<string, string>
    readonly body: AsyncIterable<Uint8Array> | Uint8Array
    readonly size: number | undefined
    readonly options: CallOptions
  }) => Promise<unknown>,
): UploadCalls {
  return {
    uploads: (query = {}, options) => call(routes.uploads, { query }, options),
    beginUpload: (body, options) => call(routes.beginUpload, { body }, options),
    unfinishedUpload: (id, options) => call(routes.unfinishedUpload, { params: { id } }, options),
    wakeUpload: (id, options) => call(routes.wakeUpload, { params: { id } }, options),
    takeUpload: (id, body, options) => call(routes.takeUpload, { params: { id }, body }, options),
    sendUpload: async ({ id, turn, offset, body, size }, options = {}) =>
      parsed(routes.sendUpload.answer, await stream({ params: { id }, query: { turn, offset }, body, size, options })),
    finishUpload: (id, body, options) => call(routes.finishUpload, { params: { id }, body }, options),
    cancelUpload: (id, options) => call(routes.cancelUpload, { params: { id } }, options),
  }
}
