// Uploads that go on after interruptions, as the site offers them.
import type { Stored, Upload, UploadProof, UploadTurn } from '#contract'
import { parsePath } from './paths.ts'
import type { SiteCore } from './site-core.ts'
import { storedAnswer } from './site-files.ts'
import { type UploadAsked, Uploads } from './uploads.ts'

export function siteUploads(core: SiteCore) {
  const uploads = new Uploads(core, (request) => storedAnswer(core, request))
  core.uploads = uploads
  return {
    beginUpload: (request: UploadAsked, actor = 'local'): Promise<UploadTurn> => uploads.begin(request, actor),
    uploads: (request: { readonly path?: string | undefined } = {}): Promise<readonly Upload[]> =>
      uploads.list(request.path === undefined ? {} : { path: parsePath(request.path) }),
    upload: (id: string): Promise<Upload> => uploads.get(id),
    wakeUpload: (id: string): Promise<Upload> => uploads.wake(id),
    takeUpload: (id: string, proof: UploadProof): Promise<UploadTurn> => uploads.take(id, proof),
    sendUpload: (id: string, from: { readonly turn: string; readonly offset: number }, body: AsyncIterable<Uint8Array>): Promise<Upload> =>
      uploads.send(id, from, body),
    finishUpload: (id: string, request: { readonly turn: string }): Promise<Stored> => uploads.finish(id, request),
    cancelUpload: (id: string): Promise<Upload> => uploads.cancel(id),
    /** What happens every hour by itself. */
    sweepUploads: (): Promise<void> => uploads.sweepExpired(),
  }
}
