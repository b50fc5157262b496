// A door whose site is a map in memory: enough of one to hold the gateway to its contract without storage.
import { createHash } from 'node:crypto'
import type { Access, Door, ReadGrant } from '#access'
import { Failure } from '#base'
import { ability, type ChangeStatus, type Entry, type Kit, type SiteEvent, type Status, type Task, type VaultSummary } from '#contract'
import { memoryAudit } from './memory-audit.ts'
import { memoryAlarms } from './memory-alarms.ts'
import { createMemoryHealth } from './memory-health.ts'
import { createMemoryUploads } from './memory-uploads.ts'
import { memoryPast } from './memory-past.ts'

export interface MemoryDoor extends Door {
  /** Calls in order, by name. */
  readonly calls: string[]
  /** Read grants that are open now. */
  readonly openGrants: () => number
  /** Uploads that were given up before their end. */
  readonly dropped: unknown[]
  /** Makes reads of this path fail after so many bytes. */
  failAfter(path: string, bytes: number): void
  /** Makes every call of this name throw. */
  refuse(name: string, error: unknown): void
  emit(event: SiteEvent): void
  listeners(): number
  put(path: string, bytes: Uint8Array, type?: string): void
  bytesOf(path: string): Uint8Array | undefined
}

interface File {
  readonly bytes: Uint8Array
  readonly type: string
  readonly modified: string
  readonly number: number
}

const CHANGE: ChangeStatus = {
  state: 'idle',
  started: null,
  wanted: { threshold: 2, count: 3, layout: 'shared', spare: 1 },
  due: { objects: 0, bytes: 0, steps: { anew: 0, reshare: 0, place: 0 } },
  bytesDone: 0,
  bytesTotal: 0,
  bytesPerSecond: 0,
  rate: 0,
  remainingSeconds: null,
  task: null,
  shapes: [],
  leaving: [],
  waits: [],
}

/** Files under /zeros/SIZE are made of zeros and never kept; uploads under /void are counted and forgotten. */
export function createMemoryDoor(): MemoryDoor {
  const files = new Map<string, File[]>()
  const folders = new Set<string>(['/'])
  const calls: string[] = []
  const dropped: unknown[] = []
  const failing = new Map<string, number>()
  const refusals = new Map<string, unknown>()
  const listeners = new Set<(event: SiteEvent) => void>()
  let vault: VaultSummary | null = null
  let grants = 0

  const note = (name: string): void => {
    calls.push(name)
    if (refusals.has(name)) throw refusals.get(name)
  }
  const current = (path: string, version?: number): File => {
    const zeros = /^\/zeros\/(\d+)$/.exec(path)
    if (zeros !== null) return { bytes: new Uint8Array(0), type: '', modified: MODIFIED, number: 1 }
    const versions = files.get(path)
    const file = version === undefined ? versions?.at(-1) : versions?.find((one) => one.number === version)
    if (file === undefined) throw new Failure('storage.absent', { culprits: [path] })
    return file
  }
  const addFolders = (path: string): void => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) folders.add(path.slice(0, at))
  }
  const entry = (path: string): Entry => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (folders.has(path)) {
      return { kind: 'folder', path, name, size: 0, type: '', modified: MODIFIED, version: 0, redundancy: 'redundant' }
    }
    const file = current(path)
    const { type, modified, number } = file
    return { kind: 'file', path, name, size: sizeOf(path, file), type, modified, version: number, redundancy: 'redundant' }
  }
  const relocate = (from: string, to: string, replace: boolean, keep: boolean): Entry => {
    if (files.has(to) && !replace) throw new Failure('storage.exists')
    const moved = [...files].filter(([path]) => path === from || path.startsWith(`${from}/`))
    if (moved.length === 0) throw new Failure('storage.absent')
    for (const [path, versions] of moved) {
      if (!keep) files.delete(path)
      files.set(to + path.slice(from.length), versions)
      addFolders(to + path.slice(from.length))
    }
    if (!keep) folders.delete(from)
    return entry(to)
  }
  const grant = (path: string, file: File): ReadGrant => {
    const sizeBytes = sizeOf(path, file)
    let open = true
    grants += 1
    return {
      path,
      sizeBytes,
      type: file.type,
      modified: file.modified,
      etag: `v${file.number}`,
      hasDigest: (sha256) => createHash('sha256').update(file.bytes).digest('hex') === sha256,
      async *read({ first, last }, signal) {
        const failAt = failing.get(path)
        for (let at = first; at <= last; at += PART) {
          if (signal?.aborted === true) throw new Failure('base.cancelled')
          if (failAt !== undefined && at >= failAt) throw new Failure('format.record', { culprits: ['west'] })
          const end = Math.min(at + PART, last + 1, failAt ?? Number.MAX_SAFE_INTEGER)
          const part = path.startsWith('/zeros/') ? ZEROS.subarray(0, end - at) : Uint8Array.from(file.bytes.subarray(at, end))
          yield part
          // A part is the reader's only until the next one is asked for.
          if (!path.startsWith('/zeros/')) part.fill(0xee)
          if (end === failAt) throw new Failure('format.record', { culprits: ['west'] })
        }
      },
      async close() {
        if (open) grants -= 1
        open = false
      },
    }
  }

  return {
    ...memoryAudit(note, MODIFIED),
    ...createMemoryHealth(note, { id: ID, at: MODIFIED }),
    ...createMemoryUploads(
      note,
      (path, bytes, { type, modified }) => {
        const versions = files.get(path) ?? []
        files.set(path, [...versions, { bytes, type, modified: modified ?? MODIFIED, number: versions.length + 1 }])
        addFolders(path)
        return { entry: entry(path), acknowledged: 3, count: 3, laggards: [], note: 'stored at 3 of 3 locations' }
      },
      MODIFIED,
    ),
    calls,
    dropped,
    openGrants: () => grants,
    failAfter: (path, bytes) => void failing.set(path, bytes),
    refuse: (name, error) => void refusals.set(name, error),
    emit: (event) => listeners.forEach((listener) => listener(event)),
    listeners: () => listeners.size,
    put(path, bytes, type = 'application/octet-stream') {
      addFolders(path)
      const versions = files.get(path) ?? []
      files.set(path, [...versions, { bytes, type, modified: MODIFIED, number: versions.length + 1 }])
    },
    ...memoryPast({ note, entry }),
    ...memoryAlarms(note),
    bytesOf: (path) => files.get(path)?.at(-1)?.bytes,
    async site() {
      note('site')
      return { version: '0', suggestedFolders: [], vault, abilities: [...ability.options] }
    },
    async status({ check }) {
      note(check ? 'status checked' : 'status')
      return statusOf(vault, files.size)
    },
    async createVault(request) {
      note('createVault')
      if (vault !== null) throw new Failure('storage.vault-exists')
      vault = {
        id: ID,
        name: request.name ?? 'Vault',
        threshold: request.threshold,
        count: request.locations.length,
        layout: request.layout ?? 'shared',
        requireAll: request.requireAll ?? false,
        created: MODIFIED,
        dealer: 'ab'.repeat(32),
      }
      return vault
    },
    async addLocation({ spec, label }) {
      note('addLocation')
      return {
        id: ID,
        label: label ?? spec,
        kind: 'folder',
        x: 4,
        state: 'empty',
        detail: '',
        next: '',
        fragments: { held: 0, lost: 0, corrupt: 0, pending: 0 },
        bytes: 0,
        latencyMs: null,
        lastSeen: null,
        capabilities: null,
        probe: null,
      }
    },
    async grants() {
      note('grants')
      return { own: 'manage', grants: [] }
    },
    async candidates() {
      note('candidates')
      return { candidates: [] }
    },
    async setGrant({ path }) {
      note(`setGrant ${path}`)
      return { own: 'manage', grants: [] }
    },
    async search({ path }) {
      note(`search ${path}`)
      return { path, entries: [], next: null }
    },
    async change() {
      note('change')
      return CHANGE
    },
    async previewChange() {
      note('previewChange')
      const { wanted } = CHANGE
      return {
        before: wanted,
        after: wanted,
        spareMeanwhile: 1,
        objects: 0,
        steps: CHANGE.due.steps,
        bytes: 0,
        monthly: { before: null, after: null },
        seconds: 0,
        warnings: [],
      }
    },
    async requestChange() {
      note('requestChange')
      return CHANGE
    },
    async steerChange() {
      note('steerChange')
      return CHANGE
    },
    async testLocation() {
      note('testLocation')
      return {
        honestCreate: true,
        rangedRead: true,
        listAfterWrite: true,
        multipartAbort: true,
        deletes: true,
        objectLock: false,
        latencyMs: 1,
        findings: [],
      }
    },
    async list({ path, recursive, after, limit = 1000 }) {
      note('list')
      if (!folders.has(path)) throw new Failure('storage.absent')
      const prefix = path === '/' ? '/' : `${path}/`
      const below = [...folders, ...files.keys()]
        .filter((one) => one !== '/' && one.startsWith(prefix) && (recursive || !one.slice(prefix.length).includes('/')))
        .toSorted()
        .filter((one) => after === undefined || one > after)
      const page = below.slice(0, limit)
      return { path, entries: page.map(entry), next: below.length > limit ? (page.at(-1) ?? null) : null }
    },
    async stat({ path }) {
      note('stat')
      return entry(path)
    },
    async openToWrite({ path, type = 'application/octet-stream', modified = MODIFIED, ifAbsent }) {
      note('openToWrite')
      if (path.includes('/../')) throw new Failure('storage.path')
      if (ifAbsent && files.has(path)) throw new Failure('storage.exists')
      return {
        async store(body, signal) {
          const parts: Uint8Array[] = []
          let size = 0
          try {
            for await (const part of body) {
              if (signal?.aborted === true) throw new Failure('base.cancelled')
              note('part')
              size += part.length
              if (!path.startsWith('/void')) parts.push(Uint8Array.from(part))
            }
          } catch (error) {
            dropped.push(error)
            throw error
          }
          const versions = files.get(path) ?? []
          const bytes = path.startsWith('/void') ? new Uint8Array(0) : Buffer.concat(parts)
          files.set(path, [...versions, { bytes, type, modified, number: versions.length + 1 }])
          addFolders(path)
          return { entry: { ...entry(path), size }, acknowledged: 3, count: 3, laggards: [], note: 'stored at 3 of 3 locations' }
        },
      }
    },
    async openToRead({ path, version }) {
      note('openToRead')
      return grant(path, current(path, version))
    },
    async createFolder({ path }) {
      note('createFolder')
      addFolders(`${path}/`)
      return entry(path)
    },
    async move({ from, to, replace }) {
      note('move')
      return relocate(from, to, replace, false)
    },
    async copy({ from, to, replace }) {
      note('copy')
      return relocate(from, to, replace, true)
    },
    async remove({ path, recursive }) {
      note('remove')
      const gone = [...files.keys()].filter((one) => one === path || one.startsWith(`${path}/`))
      if (gone.length === 0 && !folders.has(path)) throw new Failure('storage.absent')
      if (folders.has(path) && !recursive && gone.length > 0) throw new Failure('storage.exists', { detail: 'The folder is not empty.' })
      for (const one of gone) files.delete(one)
      for (const one of folders) if (one === path || one.startsWith(`${path}/`)) folders.delete(one)
      return { removed: gone.length, trash: null }
    },
    async versions({ path }) {
      note('versions')
      current(path)
      const versions = files.get(path)!.toReversed()
      return {
        path,
        versions: versions.map((file, index) => ({
          number: file.number,
          size: file.bytes.length,
          type: file.type,
          created: MODIFIED,
          modified: file.modified,
          current: index === 0,
          redundancy: 'redundant' as const,
          sameAs: null,
        })),
      }
    },
    async placement({ path }) {
      note('placement')
      return { path, version: current(path).number, threshold: 2, count: 3, layout: 'shared', fragments: [] }
    },
    async fragment({ path, offset, lengthBytes }) {
      note('fragment')
      return current(path).bytes.subarray(offset, offset + lengthBytes)
    },
    async scrub() {
      note('scrub')
      return doneTask('scrub')
    },
    async repair() {
      note('repair')
      return doneTask('repair')
    },
    async previewImport({ source }) {
      note('previewImport')
      return {
        source,
        files: 2,
        bytes: 9,
        skipped: [{ name: 'link', why: 'symbolic links are not followed' }],
        moreSkipped: 0,
        complete: true,
      }
    },
    async importFiles() {
      note('importFiles')
      return doneTask('import')
    },
    async drill() {
      note('drill')
      return doneTask('drill')
    },
    async lastDrill() {
      note('lastDrill')
      return { report: '{}', page: '<!doctype html>', passed: true }
    },
    async verifyDrill() {
      note('verifyDrill')
      return { genuine: true, dealer: 'ab'.repeat(32), ours: true, passed: true }
    },
    async makeKit({ officers }) {
      note('makeKit')
      const { threshold, layout, name, created } = vault ?? { threshold: 2, layout: 'shared' as const, name: 'Vault', created: MODIFIED }
      const facts: Kit['facts'] = {
        v: 1,
        kind: 'quorate kit',
        made: MODIFIED,
        product: '1.2.3',
        vault: { id: ID, name, threshold, count: 3, layout, created },
        dealer: { fingerprint: 'ab'.repeat(32), mldsa65: '', ed25519: '' },
        locations: [],
        sealed: officers.length === 0 ? null : { file: 'secrets.age', officers: [...officers], contains: ['credentials'] },
        files: {},
      }
      return { facts, files: [{ name: 'spec/vault.md', data: 'AAAA' }], notes: [] }
    },
    async restore() {
      note('restore')
      return doneTask('recover')
    },
    async join() {
      note('join')
      return doneTask('recover')
    },
    async writerKey() {
      note('writerKey')
      return { line: 'quorate-writer-1 AA==', fingerprint: 'ab'.repeat(32) }
    },
    async writers() {
      note('writers')
      return { writers: [], alarms: [] }
    },
    async addWriter() {
      note('addWriter')
      return { writers: [], alarms: [] }
    },
    async removeWriter() {
      note('removeWriter')
      return { writers: [], alarms: [] }
    },
    async acknowledge() {
      note('acknowledge')
      return { writers: [], alarms: [] }
    },
    async recover() {
      note('recover')
      return doneTask('recover')
    },
    async tasks() {
      note('tasks')
      return [doneTask('scrub')]
    },
    async task(id) {
      note('task')
      if (id !== ID) throw new Failure('storage.absent')
      return doneTask('scrub')
    },
    async cancelTask(id) {
      note('cancelTask')
      if (id !== ID) throw new Failure('storage.absent')
      return doneTask('scrub')
    },
    async *events(signal) {
      const queue: SiteEvent[] = [{ kind: 'status', status: statusOf(vault, files.size) }]
      let wake = (): void => {}
      const listener = (event: SiteEvent): void => {
        queue.push(event)
        wake()
      }
      listeners.add(listener)
      signal.addEventListener('abort', () => wake())
      try {
        while (!signal.aborted) {
          const event = queue.shift()
          if (event !== undefined) yield event
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        listeners.delete(listener)
      }
    },
  }
}

export function accessTo(door: Door): Access {
  return { enter: () => door }
}

export const ID = '0123456789abcdef0123456789abcdef'
const MODIFIED = '2026-01-02T03:04:05.000Z'
const PART = 262_144
const ZEROS = new Uint8Array(PART)

function sizeOf(path: string, file: File): number {
  return path.startsWith('/zeros/') ? Number(path.slice('/zeros/'.length)) : file.bytes.length
}

function statusOf(vault: VaultSummary | null, files: number): Status {
  return {
    health: vault === null ? 'none' : 'healthy',
    vault,
    files,
    folders: 0,
    bytes: 0,
    repairDue: 0,
    withoutRedundancy: 0,
    locations: [],
    recoveryPoint: { sequence: 0, at: null, pendingChanges: 0 },
    head: null,
    messages: [],
  }
}

function doneTask(kind: Task['kind']): Task {
  return {
    id: ID,
    kind,
    state: 'done',
    title: kind,
    done: 1,
    total: 1,
    unit: 'fragments',
    bytesPerSecond: 0,
    remainingSeconds: null,
    started: MODIFIED,
    report: { checkedFragments: 1, checkedBytes: 1, repairedFragments: 0, findings: [], moreFindings: 0 },
    problem: null,
  }
}
