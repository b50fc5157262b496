// The part of the door for uploads that go on: an upload belongs to whoever began it.
import { type Clock, Failure } from '#base'
import { canonicalPath, type SiteStorage } from '#storage'
import type { Authority } from './authority.ts'
import { watched } from './door-files.ts'
import type { Door } from './door.ts'

type UploadDoor = Pick<
  Door,
  'uploads' | 'beginUpload' | 'upload' | 'wakeUpload' | 'takeUpload' | 'sendUpload' | 'finishUpload' | 'cancelUpload'
>

export function uploadDoor({
  storage,
  authority,
  clock,
}: {
  readonly storage: SiteStorage
  readonly authority: Authority
  readonly clock: Clock
}): UploadDoor {
  const isOwn = (actor: string): boolean => authority.actor.kind === 'local' || actor === authority.by

  /** Its path, for who may go on with it: the one who began it, while they may still write there. */
  const own = async (id: string): Promise<string> => {
    const { actor, path } = await storage.uploadOwner(id)
    // Ids are secrets of a kind: whether another one's exists is nobody's business.
    if (!isOwn(actor)) throw await authority.refused('store', new Failure('storage.upload-absent', { next: 'Send the file again.' }))
    await authority.demand('store', path, 'write')
    return path
  }

  return {
    async uploads(request) {
      const path = request.path === undefined ? undefined : canonicalPath(request.path)
      return storage.uploads({ path, actor: authority.actor.kind === 'local' ? undefined : authority.by })
    },
    async beginUpload(request) {
      const path = canonicalPath(request.path)
      await authority.demand('store', path, 'write')
      return storage.beginUpload({ ...request, path }, authority.by)
    },
    async upload(id) {
      await own(id)
      return storage.upload(id)
    },
    async wakeUpload(id) {
      await own(id)
      return storage.wakeUpload(id)
    },
    async takeUpload(id, proof) {
      await own(id)
      return storage.takeUpload(id, proof)
    },
    async sendUpload(id, from, body) {
      const path = await own(id)
      return storage.sendUpload(
        id,
        from,
        watched(body, () => authority.stillMay('store', path, 'write'), clock),
      )
    },
    async finishUpload(id, request) {
      await own(id)
      return storage.finishUpload(id, { ...request, witness: authority.witness('store') })
    },
    async cancelUpload(id) {
      const { actor } = await storage.uploadOwner(id)
      if (!isOwn(actor)) throw await authority.refused('store', new Failure('storage.upload-absent', { next: 'List the uploads.' }))
      return storage.cancelUpload(id)
    },
  }
}
