// Uploads that go on, for the door in memory: one buffer each.
import { createHash } from 'node:crypto'
import type { Door } from '#access'
import { Failure } from '#base'
import type { Stored, Upload } from '#contract'

type UploadDoor = Pick<
  Door,
  'uploads' | 'beginUpload' | 'upload' | 'wakeUpload' | 'takeUpload' | 'sendUpload' | 'finishUpload' | 'cancelUpload'
>

interface Kept {
  view: Upload
  turn: string
  readonly parts: Uint8Array[]
}

export function createMemoryUploads(
  note: (name: string) => void,
  store: (path: string, bytes: Uint8Array, given: { readonly type: string; readonly modified: string | null }) => Stored,
  at: string,
): UploadDoor {
  const kept = new Map<string, Kept>()
  let last = 0
  const find = (id: string): Kept => {
    const one = kept.get(id)
    if (one === undefined) throw new Failure('storage.upload-absent')
    return one
  }
  const newId = (): string => (++last).toString(16).padStart(32, '0')
  const received = ({ parts }: Kept): Buffer => Buffer.concat(parts)
  return {
    async uploads({ path }) {
      note('uploads')
      return [...kept.values()].map(({ view }) => view).filter((view) => path === undefined || view.path === path)
    },
    async beginUpload({ path, size, modified, type }) {
      note('beginUpload')
      const id = newId()
      const view: Upload = {
        id,
        path,
        size,
        modified: modified ?? null,
        type: type ?? 'application/octet-stream',
        state: 'ready',
        offset: 0,
        checkedBytes: 0,
        created: at,
        active: at,
        expires: at,
        restarts: 0,
        problem: null,
      }
      const turn = newId()
      kept.set(id, { view, turn, parts: [] })
      return { ...view, turn }
    },
    async upload(id) {
      note('unfinishedUpload')
      return find(id).view
    },
    async wakeUpload(id) {
      note('wakeUpload')
      return find(id).view
    },
    async takeUpload(id, { offset, sha256 }) {
      note('takeUpload')
      const one = find(id)
      if (offset !== one.view.offset) throw new Failure('storage.upload-offset')
      if (createHash('sha256').update(received(one)).digest('hex') !== sha256) throw new Failure('storage.source-changed')
      one.turn = newId()
      return { ...one.view, turn: one.turn }
    },
    async sendUpload(id, { turn, offset }, body) {
      note('sendUpload')
      const one = find(id)
      if (turn !== one.turn) throw new Failure('storage.upload-busy')
      if (offset !== one.view.offset) throw new Failure('storage.upload-offset')
      for await (const part of body) {
        one.parts.push(Uint8Array.from(part))
        one.view = { ...one.view, offset: (one.view.offset ?? 0) + part.length }
      }
      return one.view
    },
    async finishUpload(id, { turn }) {
      note('finishUpload')
      const one = find(id)
      if (turn !== one.turn) throw new Failure('storage.upload-busy')
      if (one.view.offset !== one.view.size) throw new Failure('storage.upload-offset')
      one.view = { ...one.view, state: 'done' }
      return store(one.view.path, received(one), one.view)
    },
    async cancelUpload(id) {
      note('cancelUpload')
      const { view } = find(id)
      kept.delete(id)
      return view
    },
  }
}
