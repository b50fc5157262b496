// What a person types about one location, and the one line that the site understands.
import type { Words } from '../words/en.ts'

/** Kinds that a web address and a bucket or container describe. */
export const CLOUDS = ['s3', 'azure', 'gcs'] as const
export type Cloud = (typeof CLOUDS)[number]

export interface PlaceDraft {
  readonly id: number
  readonly kind: 'folder' | Cloud
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

const GOOGLE = 'https://storage.googleapis.com'

/** The draft as another kind. Google's store has one address for all. */
export function withKind(draft: PlaceDraft, kind: PlaceDraft['kind']): PlaceDraft {
  const typed = draft.endpoint === GOOGLE ? '' : draft.endpoint
  return { ...draft, kind, endpoint: kind === 'gcs' && typed === '' ? GOOGLE : typed }
}

/** `folder:PATH` or `KIND:https://endpoint/bucket/prefix?region=...&credentials=FILE`. */
export function specOf(draft: PlaceDraft): string {
  if (draft.kind === 'folder') return `folder:${draft.path.trim()}`
  const parts = [draft.bucket, ...draft.prefix.split('/')].map((part) => part.trim()).filter(Boolean)
  const query = new URLSearchParams()
  if (draft.kind === 's3' && draft.region.trim() !== '') query.set('region', draft.region.trim())
  if (draft.keyFile.trim() !== '') query.set('credentials', draft.keyFile.trim())
  const tail = query.size === 0 ? '' : `?${query.toString()}`
  return `${draft.kind}:${draft.endpoint.trim().replace(/\/+$/, '')}/${parts.map(encodeURIComponent).join('/')}${tail}`
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
      ...(draft.bucket.trim() === ''
        ? { bucket: draft.kind === 'azure' ? words.clouds.containerMissing : words.setup.bucketMissing }
        : twin
          ? { bucket: words.setup.same }
          : {}),
    }
  })
}

export function isFine(trouble: DraftTrouble): boolean {
  return Object.keys(trouble).length === 0
}
