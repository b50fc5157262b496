// Uploads that go on after interruptions, as the site offers them.
import type { Stored, Upload, UploadProof, UploadTurn } from '#contract'
import { parsePath } from './paths.ts'
import type { SiteCore, Witness } from './site-core.ts'
import { storedAnswer } from './site-files.ts'
import { type UploadAsked, Uploads } from './uploads.ts'

export function siteUploads(core: SiteCore) {
  const uploads = new Uploads(core, (request) => storedAnswer(core, request))
  core.uploads = uploads
  return {
    beginUpload: (request: UploadAsked, actor = 'local'): Promise<UploadTurn> => uploads.begin(request, actor),
    uploads: (request: { readonly path?: string | undefined; readonly actor?: string | undefined } = {}): Promise<readonly Upload[]> =>
      uploads.list({ actor: request.actor, ...(request.path === undefined ? {} : { path: parsePath(request.path) }) }),
    upload: (id: string): Promise<Upload> => uploads.get(id),
    wakeUpload: (id: string): Promise<Upload> => uploads.wake(id),
    takeUpload: (id: string, proof: UploadProof): Promise<UploadTurn> => uploads.take(id, proof),
    sendUpload: (id: string, from: { readonly turn: string; readonly offset: number }, body: AsyncIterable<Uint8Array>): Promise<Upload> =>
      uploads.send(id, from, body),
    finishUpload: (id: string, request: { readonly turn: string; readonly witness?: Witness | undefined }): Promise<Stored> =>
      uploads.finish(id, request),
    /** Whose upload it is: what `beginUpload` was told. Throws `storage.upload-absent`. */
    uploadOwner: (id: string): Promise<{ readonly actor: string; readonly path: string }> => uploads.owner(id),
    cancelUpload: (id: string): Promise<Upload> => uploads.cancel(id),
    /** What happens every hour by itself. */
    sweepUploads: (): Promise<void> => uploads.sweepExpired(),
  }
}
