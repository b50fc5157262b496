// What a person types about one location, and the one line that the site understands.
import type { Words } from '../words/en.ts'

/** Kinds that a web address and a bucket or container describe. */
export const CLOUDS = ['s3', 'azure', 'gcs'] as const
export type Cloud = (typeof CLOUDS)[number]

/** Servers that keep folders. */
export const SERVERS = ['sftp', 'webdav'] as const
export type Server = (typeof SERVERS)[number]

export interface PlaceDraft {
  readonly id: number
  readonly kind: 'folder' | Cloud | Server
  readonly path: string
  readonly label: string
  readonly endpoint: string
  readonly bucket: string
  readonly prefix: string
  readonly region: string
  readonly keyFile: string
  /** Of SFTP: host and port, who logs in, the folder there, and the fingerprint of its key. */
  readonly host: string
  readonly user: string
  readonly folder: string
  readonly hostKey: string
  readonly passwordFile: string
}

let ids = 0

export function emptyDraft(path = ''): PlaceDraft {
  const cloud = { endpoint: '', bucket: '', prefix: '', region: '', keyFile: '' }
  const server = { host: '', user: '', folder: '', hostKey: '', passwordFile: '' }
  return { id: ++ids, kind: 'folder', path, label: '', ...cloud, ...server }
}

const GOOGLE = 'https://storage.googleapis.com'

/** The draft as another kind. Google's store has one address for all. */
export function withKind(draft: PlaceDraft, kind: PlaceDraft['kind']): PlaceDraft {
  const typed = draft.endpoint === GOOGLE ? '' : draft.endpoint
  return { ...draft, kind, endpoint: kind === 'gcs' && typed === '' ? GOOGLE : typed }
}

/** `folder:PATH`, `sftp:ssh://user@host/path?...`, `webdav:https://host/path?...` or `KIND:https://endpoint/bucket/prefix?region=...&credentials=FILE`. */
export function specOf(draft: PlaceDraft): string {
  if (draft.kind === 'folder') return `folder:${draft.path.trim()}`
  if (draft.kind === 'sftp') return sftpSpec(draft)
  if (draft.kind === 'webdav') return `webdav:${draft.endpoint.trim().replace(/\/+$/, '')}${queryOf({ credentials: draft.keyFile })}`
  const parts = [draft.bucket, ...draft.prefix.split('/')].map((part) => part.trim()).filter(Boolean)
  const tail = queryOf({ region: draft.kind === 's3' ? draft.region : '', credentials: draft.keyFile })
  return `${draft.kind}:${draft.endpoint.trim().replace(/\/+$/, '')}/${parts.map(encodeURIComponent).join('/')}${tail}`
}

function sftpSpec({ host, user, folder, hostKey, keyFile, passwordFile }: PlaceDraft): string {
  const way = folder.trim().replace(/^\//, '').split('/').map(encodeURIComponent).join('/')
  const query = queryOf({ hostKey: hostKey.replaceAll(/\s/g, ''), key: keyFile, password: passwordFile })
  return `sftp:ssh://${encodeURIComponent(user.trim())}@${host.trim()}/${way}${query}`
}

/** What was typed, with the question mark; nothing for nothing. */
function queryOf(fields: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value.trim() !== '') query.set(name, value.trim())
  return query.size === 0 ? '' : `?${query.toString()}`
}

export function requestOf(draft: PlaceDraft): { spec: string; label?: string } {
  const label = draft.label.trim()
  return { spec: specOf(draft), ...(label === '' ? {} : { label }) }
}

export interface DraftTrouble {
  readonly path?: string
  readonly endpoint?: string
  readonly bucket?: string
  readonly host?: string
  readonly user?: string
  readonly folder?: string
  readonly hostKey?: string
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
    if (draft.kind === 'sftp') return sftpTrouble(draft, twin, words)
    if (draft.kind === 'webdav') {
      if (!/^https?:\/\/[^/\s]+\/\S/i.test(draft.endpoint.trim())) return { endpoint: words.servers.addressWrong }
      return twin ? { endpoint: words.setup.same } : {}
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

function sftpTrouble(draft: PlaceDraft, twin: boolean, { servers, setup }: Words): DraftTrouble {
  return {
    ...(/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(draft.host.trim()) ? {} : { host: servers.hostWrong }),
    ...(draft.user.trim() === '' ? { user: servers.userMissing } : {}),
    ...(/^(?:\/|~(?:\/|$))/.test(draft.folder.trim()) ? (twin ? { folder: setup.same } : {}) : { folder: servers.folderWrong }),
    ...(/^SHA256:[A-Za-z0-9+/]{43}=?(?:,SHA256:[A-Za-z0-9+/]{43}=?)*$/.test(draft.hostKey.replaceAll(/\s/g, ''))
      ? {}
      : { hostKey: servers.hostKeyWrong }),
  }
}

export function isFine(trouble: DraftTrouble): boolean {
  return Object.keys(trouble).length === 0
}
