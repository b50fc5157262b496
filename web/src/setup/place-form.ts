// What a person types about one location, and the one line that the site understands.
import type { Words } from '../words/en.ts'

export interface PlaceDraft {
  readonly id: number
  readonly kind: 'folder' | 's3'
  readonly path: string
  readonly label: string
  readonly endpoint: string
  readonly bucket: string
  readonly prefix: string
  readonly region: string
  readonly keyFile: string
}

let ids = 0

export function emptyDraft(path = ''): PlaceDraft {
  return { id: ++ids, kind: 'folder', path, label: '', endpoint: '', bucket: '', prefix: '', region: '', keyFile: '' }
}

/** `folder:PATH` or `s3:https://endpoint/bucket/prefix?region=...&credentials=FILE`. */
export function specOf(draft: PlaceDraft): string {
  if (draft.kind === 'folder') return `folder:${draft.path.trim()}`
  const parts = [draft.bucket, ...draft.prefix.split('/')].map((part) => part.trim()).filter(Boolean)
  const query = new URLSearchParams()
  if (draft.region.trim() !== '') query.set('region', draft.region.trim())
  if (draft.keyFile.trim() !== '') query.set('credentials', draft.keyFile.trim())
  const tail = query.size === 0 ? '' : `?${query.toString()}`
  return `s3:${draft.endpoint.trim().replace(/\/+$/, '')}/${parts.map(encodeURIComponent).join('/')}${tail}`
}

export function requestOf(draft: PlaceDraft): { spec: string; label?: string } {
  const label = draft.label.trim()
  return { spec: specOf(draft), ...(label === '' ? {} : { label }) }
}

export interface DraftTrouble {
  readonly path?: string
  readonly endpoint?: string
  readonly bucket?: string
}

/** What is missing or doubtful in each draft, in order. */
export function draftTroubles(drafts: readonly PlaceDraft[], words: Words): readonly DraftTrouble[] {
  const specs = drafts.map(specOf)
  return drafts.map((draft, index) => {
    const twin = specs.indexOf(specs[index]!) !== index
    if (draft.kind === 'folder') {
      if (draft.path.trim() === '') return { path: words.setup.empty }
      return twin ? { path: words.setup.same } : {}
    }
    return {
      ...(/^https?:\/\/[^/\s]+\/?$/i.test(draft.endpoint.trim()) ? {} : { endpoint: words.setup.endpointWrong }),
      ...(draft.bucket.trim() === '' ? { bucket: words.setup.bucketMissing } : twin ? { bucket: words.setup.same } : {}),
    }
  })
}

export function isFine(trouble: DraftTrouble): boolean {
  return Object.keys(trouble).length === 0
}
