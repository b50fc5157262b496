// What a gateway gets: an object that already carries the authority of one actor. It cannot reach storage in another way.
import type {
  Candidates,
  Capabilities,
  ChangePreview,
  ChangeRequest,
  ChangeStatus,
  DeletionListing,
  DrillAnswer,
  DrillVerdict,
  Entry,
  GrantList,
  GrantRequest,
  Kit,
  KitFacts,
  KitSecrets,
  HealthHistory,
  HealthRequest,
  HealthView,
  ImportPreview,
  Listing,
  KeepingRule,
  KeepingView,
  LocationStatus,
  MeasuredLocation,
  MomentPlan,
  Placement,
  Plan,
  PlanRequest,
  Means,
  PurgePlan,
  Removal,
  Role,
  Scope,
  ScrubDepth,
  PreviewRequest,
  Site,
  SiteEvent,
  Status,
  SteerRequest,
  Stored,
  Task,
  Upload,
  UploadProof,
  UploadTurn,
  Traits,
  TrashListing,
  VaultRequest,
  VaultSummary,
  Versions,
  WriterKey,
  WriterList,
} from '#contract'
import type { AuditView } from './door-audit.ts'
import type { AlarmDoor } from './door-alarms.ts'

/** Who acts: the person at the machine, known by the socket's file permissions or the start link, or a person whom the site knows. */
export type Actor = { readonly kind: 'local'; readonly name: string } | Person

/** A person as they were when they proved who they are; asked for anew with every call. */
export interface Person {
  readonly kind: 'person'
  /** 32 hex digits; never given to another person. */
  readonly id: string
  readonly name: string
  readonly roles: readonly Role[]
  /** Ids of groups. */
  readonly groups: readonly string[]
  /** How they proved it. */
  readonly means: Means
  /** What a token or key was limited to when it was made; undefined is everything that the person may do. */
  readonly scope?: Scope | undefined
}

/** Permission to store one new version at one path. */
export interface WriteGrant {
  /** Resolves when the version is durable at the quorum; before that nothing of it is visible. */
  store(body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Stored>
}

/** Permission to read one version. */
export interface ReadGrant {
  readonly path: string
  readonly sizeBytes: number
  readonly type: string
  /** RFC 3339. */
  readonly modified: string
  /** Opaque; changes with every version. */
  readonly etag: string
  /** Whether the whole content has this SHA-256 (hex). It is never told, only compared. */
  hasDigest(sha256: string): boolean
  /** Bytes first..last inclusive, in order. Throws in the middle rather than end short. A piece is valid until the next one is asked for. */
  read(range: { readonly first: number; readonly last: number }, signal?: AbortSignal): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

export interface Door extends AuditView, AlarmDoor {
  site(): Promise<Site>
  status(request: { readonly check: boolean }): Promise<Status>
  createVault(request: VaultRequest): Promise<VaultSummary>
  addLocation(request: { readonly spec: string; readonly label?: string | undefined }): Promise<LocationStatus>
  testLocation(request: { readonly location: string }): Promise<Capabilities>
  setTraits(request: { readonly location: string; readonly traits: Traits }): Promise<MeasuredLocation>
  /** How far the vault is from the shape that it is to have. */
  change(): Promise<ChangeStatus>
  previewChange(request: PreviewRequest): Promise<ChangePreview>
  /** Sets the wanted shape; bringing the vault into it goes on in the background, over restarts. */
  requestChange(request: ChangeRequest): Promise<ChangeStatus>
  steerChange(request: SteerRequest): Promise<ChangeStatus>
  list(request: {
    readonly path: string
    readonly recursive: boolean
    readonly after?: string | undefined
    readonly limit?: number | undefined
  }): Promise<Listing>
  /** Names below a folder that hold the text; `next` goes on, even when a page found nothing. */
  search(request: {
    readonly path: string
    readonly text: string
    readonly after?: string | undefined
    readonly limit?: number | undefined
  }): Promise<Listing>
  stat(request: { readonly path: string }): Promise<Entry>
  openToWrite(request: {
    readonly path: string
    readonly modified?: string | undefined
    readonly type?: string | undefined
    readonly sizeBytes?: number | undefined
    readonly ifAbsent: boolean
  }): Promise<WriteGrant>
  /** Unfinished uploads, and those that ended lately. */
  uploads(request: { readonly path?: string | undefined }): Promise<readonly Upload[]>
  /** Begins one that can go on after interruptions. */
  beginUpload(request: {
    readonly path: string
    readonly size: number
    readonly modified?: string | undefined
    readonly type?: string | undefined
    readonly ifAbsent: boolean
  }): Promise<UploadTurn>
  upload(id: string): Promise<Upload>
  /** Has a parked one read back; answers at once. */
  wakeUpload(id: string): Promise<Upload>
  /** The turn, for whoever has the same source. */
  takeUpload(id: string, proof: UploadProof): Promise<UploadTurn>
  /** What arrives before the body breaks off is kept. */
  sendUpload(id: string, from: { readonly turn: string; readonly offset: number }, body: AsyncIterable<Uint8Array>): Promise<Upload>
  finishUpload(id: string, request: { readonly turn: string }): Promise<Stored>
  cancelUpload(id: string): Promise<Upload>
  openToRead(request: { readonly path: string; readonly version?: number | undefined }): Promise<ReadGrant>
  createFolder(request: { readonly path: string }): Promise<Entry>
  move(request: { readonly from: string; readonly to: string; readonly replace: boolean }): Promise<Entry>
  copy(request: { readonly from: string; readonly to: string; readonly replace: boolean }): Promise<Entry>
  /** Into the trash; for good with `now`, and for one version. */
  remove(request: {
    readonly path: string
    readonly recursive: boolean
    readonly version?: number | undefined
    readonly now?: boolean | undefined
  }): Promise<Removal>
  trash(request: { readonly after?: string | undefined; readonly limit?: number | undefined }): Promise<TrashListing>
  restoreTrash(request: { readonly id: string; readonly to?: string | undefined }): Promise<Entry>
  emptyTrash(request: { readonly ids?: readonly string[] | undefined }): Promise<Task>
  restoreVersion(request: { readonly path: string; readonly version: number }): Promise<Entry>
  keeping(request: { readonly path: string }): Promise<KeepingView>
  keepingRules(): Promise<readonly KeepingView[]>
  setKeeping(request: KeepingRule & { readonly path: string; readonly release: boolean }): Promise<KeepingView>
  planPurge(): Promise<PurgePlan>
  purge(): Promise<Task>
  planMoment(request: { readonly path: string; readonly at: string }): Promise<MomentPlan>
  restoreMoment(request: { readonly path: string; readonly at: string }): Promise<Task>
  deletions(request: { readonly after?: string | undefined; readonly limit?: number | undefined }): Promise<DeletionListing>
  deletionRecord(request: { readonly id: string }): Promise<Uint8Array>
  /** What the actor may do at a path, and, for who manages it, who else may. */
  grants(request: { readonly path: string }): Promise<GrantList>
  candidates(request: { readonly path: string; readonly text: string }): Promise<Candidates>
  setGrant(request: GrantRequest): Promise<GrantList>
  versions(request: { readonly path: string }): Promise<Versions>
  placement(request: { readonly path: string; readonly version?: number | undefined }): Promise<Placement>
  /** Raw bytes of one fragment, as the location keeps them. */
  fragment(request: {
    readonly path: string
    readonly x: number
    readonly offset: number
    readonly lengthBytes: number
  }): Promise<Uint8Array>
  scrub(request: { readonly depth: ScrubDepth; readonly location?: string | undefined }): Promise<Task>
  health(): Promise<HealthView>
  setHealth(request: HealthRequest): Promise<HealthView>
  healthHistory(request: { readonly days?: number | undefined }): Promise<HealthHistory>
  plan(request: PlanRequest): Promise<Plan>
  repair(request: { readonly path?: string | undefined }): Promise<Task>
  /** Counts what lies at the source, for a while; reads no file. */
  previewImport(request: { readonly source: string; readonly path: string }): Promise<ImportPreview>
  /** The source is only read. */
  importFiles(request: { readonly source: string; readonly path: string; readonly check: boolean }): Promise<Task>
  drill(request: {
    readonly people: readonly [string, string]
    readonly files: number
    readonly location?: string | undefined
  }): Promise<Task>
  lastDrill(): Promise<DrillAnswer>
  verifyDrill(request: { readonly report: unknown }): Promise<DrillVerdict>
  /** Access keys and signing keys leave the site only sealed to the officers named. */
  makeKit(request: {
    readonly officers: readonly { readonly name: string; readonly recipient: string }[]
    readonly credentials: boolean
    readonly signingKeys: boolean
  }): Promise<Kit>
  restore(request: {
    readonly kit: Omit<KitFacts, 'files' | 'sealed'>
    readonly secrets?: KitSecrets | undefined
    readonly places: readonly { readonly location: string; readonly spec: string | null }[]
    readonly passphrase?: string | undefined
  }): Promise<Task>
  join(request: {
    readonly locations: readonly { readonly spec: string; readonly label?: string | undefined }[]
    readonly dealer?: string | undefined
    readonly passphrase?: string | undefined
  }): Promise<Task>
  writerKey(request: { readonly passphrase?: string | undefined }): Promise<WriterKey>
  writers(): Promise<WriterList>
  addWriter(request: { readonly line: string; readonly name: string }): Promise<WriterList>
  removeWriter(request: { readonly writer: string }): Promise<WriterList>
  acknowledge(request: { readonly alarm: string }): Promise<WriterList>
  recover(request: {
    readonly locations: readonly { readonly spec: string; readonly label?: string | undefined }[]
    readonly passphrase?: string | undefined
  }): Promise<Task>
  tasks(): Promise<readonly Task[]>
  task(id: string): Promise<Task>
  cancelTask(id: string): Promise<Task>
  /** Begins with the present status; ends when the signal aborts. A slow listener misses intermediate events, never the last status. */
  events(signal: AbortSignal): AsyncIterable<SiteEvent>
}

export interface Access {
  enter(actor: Actor): Door
}
