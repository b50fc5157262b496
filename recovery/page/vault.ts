// From places to a vault: which head counts, what the catalogue says, what was written after it, and each file on request.
// The same judgement as recover.py (docs/spec/vault.md, "Restoring with nothing but k locations").
import { crc32, type Failure, toHex } from '#base'
import { sha256, type VerifyingKeys } from '#crypto/primitives'
import {
  assemble,
  type Common,
  dealtFrom,
  deriveKeys,
  fetchFrame,
  type FragmentFile,
  type Meta,
  paddedLength,
  parseCanonical,
  parseMeta,
  restore,
  verifyMeta,
} from '#format'
import { Catalogue, headingOf, type Version } from './catalogue.ts'
import { chooseHead, type Choice, type Head, HEAD_BYTES_MAX, parseHead, type Reference } from './heads.ts'
import { bytesOf, fragmentFile, type Place, type PlaceFile, sortFiles } from './place.ts'

const TRASH = '/.quorate-trash/'
export const CATALOGUE_TYPE = 'application/vnd.quorate.catalogue'

/** Why something at a place is not as it should be. */
export type Wrong = 'framing' | 'frame' | 'record' | 'unreadable' | 'head' | 'refused' | 'conflict' | 'several-markers'

export interface Note {
  readonly place: string
  readonly file: string
  readonly wrong: Wrong
}

export interface Told {
  /** k of the recovery sheet. */
  readonly k?: number | undefined
  /** Fingerprint of the recovery sheet, 64 hex digits. */
  readonly dealer?: string | undefined
}

export interface Work {
  readonly signal: AbortSignal
  /** So many of so many files were looked at. */
  progress(done: number, total: number): void
}

interface Dealing {
  readonly object: string
  readonly version: number
  readonly dealId: string
}

interface Group {
  readonly common: Common
  readonly files: FragmentFile[]
}

/** One file of the vault that can be asked for. */
export interface Row {
  readonly path: string
  readonly size: number | undefined
  readonly modified: string
  /** The dealings that may give it, best first; all but the last were written after the catalogue's last part. */
  readonly tries: readonly (Dealing & { readonly k: number; readonly size: number | undefined; readonly late: boolean })[]
  /** Two dealings of one version, and nothing says which is meant. */
  readonly conflict: boolean
}

export interface Given {
  readonly data: Blob
  readonly crc: number
  readonly dealer: 'verified' | 'not-verified'
  readonly modified: string
  readonly dealId: string
}

/** At most so many files of one object from one location are looked at: more harm that location only. */
const COPIES_MAX = 16
const FILES_AT_ONCE = 8
/** Small blobs are joined, so that the browser can keep them on disk. */
const JOIN_PARTS = 64

/** Reads what the places hold. Answers one `Vault` for each vault that is there. */
export async function look(places: readonly Place[], told: Told, work: Work): Promise<Vault[]> {
  const notes: Note[] = []
  const groups = new Map<string, Group>()
  const heads = new Map<string, Map<string, Head>>()
  const here = new Map<string, Set<string>>()
  const sorted = places.map((place) => ({ place, files: sortFiles(place) }))
  const total = sorted.reduce((sum, { files }) => sum + files.fragments.length, 0)
  let done = 0
  for (const { place, files } of sorted) {
    const markers = new Set<string>()
    for (const file of files.markers) {
      const marker = await markerOf(file)
      if (marker === undefined) continue
      markers.add(marker.location)
      here.set(marker.vault, (here.get(marker.vault) ?? new Set()).add(marker.location))
    }
    if (markers.size > 1) notes.push({ place: place.label, file: '', wrong: 'several-markers' })
    for (const { file, vault, epoch } of files.heads) await takeHead(place, { file, vault, epoch }, heads, notes)
    const queue = files.fragments.values()
    const takeAll = async (): Promise<void> => {
      for (const file of queue) {
        work.signal.throwIfAborted()
        await takeFragment(place, file, groups, notes)
        done += 1
        work.progress(done, total)
      }
    }
    await Promise.all(Array.from({ length: FILES_AT_ONCE }, takeAll))
  }
  const byVault = Map.groupBy(groups.values(), ({ common }) => common.vault)
  const vaults: Vault[] = []
  for (const id of new Set([...heads.keys(), ...byVault.keys()])) {
    const vault = new Vault(
      { id, places: places.length, told, here: here.get(id) ?? new Set(), notes: [...notes] },
      byVault.get(id) ?? [],
      [...(heads.get(id)?.values() ?? [])],
    )
    await vault.open(work)
    // Fragments of another vault without companions tell nothing.
    if (vault.choice.head !== undefined || vault.rows.length > 0) vaults.push(vault)
  }
  return vaults
}

export class Vault {
  readonly id: string
  readonly notes: Note[]
  readonly choice: Choice
  /** Smallest k that is believed; 0 when nobody told one. */
  floor: number
  name: string | undefined
  rows: readonly Row[] = []
  folders: readonly string[] = []
  /** Locations of the vault that the person did not name. */
  away: readonly { readonly label: string; readonly place: string }[] = []
  /** How far the catalogue could be read; `broken` when a part of it is missing. */
  catalogue: 'whole' | 'broken' | 'none' = 'none'
  unknownLines = 0
  /** Files that were in the trash; they stand below `/.quorate-trash/`. */
  trashed = 0
  readonly #told: Told
  readonly #here: ReadonlySet<string>
  readonly #places: number
  readonly #deals = new Map<string, Group[]>()
  readonly #keys: readonly VerifyingKeys[]

  constructor(
    given: {
      readonly id: string
      readonly places: number
      readonly told: Told
      readonly here: ReadonlySet<string>
      readonly notes: Note[]
    },
    groups: readonly Group[],
    heads: readonly Head[],
  ) {
    this.id = given.id
    this.notes = given.notes
    this.#told = given.told
    this.#here = given.here
    this.#places = given.places
    this.choice = chooseHead(heads, given.told.dealer)
    this.#keys = this.choice.keys
    this.floor = Math.max(given.told.k ?? 0, this.choice.head?.k ?? 0)
    for (const group of groups) {
      const key = dealKey(group.common)
      this.#deals.set(key, [...(this.#deals.get(key) ?? []), group])
    }
  }

  /** The dealer's fingerprint, and whether the sheet vouches for it. */
  get dealer(): { readonly fingerprint: string; readonly known: 'sheet' | 'vault' } | undefined {
    const { head } = this.choice
    return head === undefined ? undefined : { fingerprint: head.dealer, known: this.#told.dealer === head.dealer ? 'sheet' : 'vault' }
  }

  /** A newer head may stand at a place that is not here. */
  get mayBeStale(): boolean {
    const { head } = this.choice
    return head === undefined || this.#places < head.n - head.k + 1 || head.places.size < 2 * head.k - 1
  }

  async open(work: Work): Promise<void> {
    const catalogue = await this.#readCatalogue(work)
    if (catalogue === undefined) {
      this.rows = await this.#rowsByMeta(work)
      return
    }
    this.name = catalogue.name
    this.unknownLines = catalogue.unknown
    this.folders = [...catalogue.folders].toSorted()
    this.away = [...catalogue.locations.values()].filter(({ location }) => !this.#here.has(location))
    this.rows = await this.#rowsByCatalogue(catalogue, work)
    this.trashed = this.rows.filter(({ path }) => path.startsWith(TRASH)).length
  }

  /** The bytes of one file, when every one of them is right. Throws why not. */
  async give(row: Row, signal: AbortSignal, watch: (bytes: number) => void = () => undefined): Promise<Given> {
    let reason: unknown
    for (const one of row.tries) {
      try {
        return await this.#read(one, { k: one.k, size: one.size, signal, watch })
      } catch (error) {
        if (signal.aborted) throw error
        reason ??= error
        // What came after the catalogue counts only when it is whole; what the catalogue names is not replaced by something older.
        if (!one.late) throw error
      }
    }
    throw reason ?? new Error('conflict')
  }

  async #read(
    deal: Dealing,
    how: {
      readonly k: number
      readonly size?: number | undefined
      readonly signal: AbortSignal
      readonly watch?: (bytes: number) => void
    },
  ): Promise<Given & { readonly meta: Meta }> {
    let groups = this.#deals.get(dealKey(deal)) ?? []
    for (;;) {
      const files = [...new Set(groups.flatMap((group) => group.files))]
      let parts: Blob[] = []
      let crc = 0
      const asked = { vault: this.id, object: deal.object, version: deal.version, dealId: deal.dealId, k: how.k }
      const restored = await restore({ files, asked, dealers: this.#keys }, (bytes) => {
        how.signal.throwIfAborted()
        crc = crc32(bytes, crc)
        parts.push(new Blob([bytes as Uint8Array<ArrayBuffer>]))
        if (parts.length >= JOIN_PARTS) parts = [new Blob(parts)]
        how.watch?.(bytes.length)
      })
      for (const { frame, reason } of restored.blames) this.#blame(frame.location, frame.file, reason)
      for (const { frame } of restored.report.heads) this.#note({ place: frame.location, file: frame.file, wrong: 'head' })
      const { meta, failure } = restored
      if (failure === undefined && meta !== undefined) {
        if (how.size !== undefined && meta.size !== how.size) throw new Error('its size is not what the catalogue says')
        return { data: new Blob(parts), crc, dealer: restored.dealer, modified: meta.modified, dealId: deal.dealId, meta }
      }
      // A lower generation of the same dealing is a fallback when the newer cannot be read to its end.
      const newest = restored.report.chosen?.common.generation ?? Math.max(0, ...groups.map(({ common }) => common.generation))
      const older = groups.filter(({ common }) => common.generation < newest)
      if (older.length === 0 || older.length === groups.length) throw failure ?? new Error('it cannot be read')
      groups = older
    }
  }

  async #readCatalogue(work: Work): Promise<Catalogue | undefined> {
    const { head } = this.choice
    if (head !== undefined) {
      const references = [
        ...(head.catalogue === null ? [] : [{ ...head.catalogue, kind: 'snapshot' as const }]),
        ...head.segments.toSorted((a, b) => a.sequence - b.sequence).map((one) => ({ ...one, kind: 'segment' as const })),
      ]
      if (references.length === 0) {
        this.catalogue = 'whole'
        return new Catalogue()
      }
      const found = await this.#takeParts(references, work)
      if (found !== undefined) return found
    }
    return this.#findCatalogue(work)
  }

  /** Parts in order, up to the first that cannot be read; undefined when not even the first can. */
  async #takeParts(
    references: readonly (Reference & { readonly kind: 'snapshot' | 'segment' })[],
    work: Work,
  ): Promise<Catalogue | undefined> {
    const catalogue = new Catalogue()
    const k = this.floor
    let next = references[0]!.kind === 'snapshot' ? references[0]!.sequence : 1
    for (const reference of references) {
      try {
        if (reference.sequence !== next) throw new Error('a part of the catalogue is missing')
        const { data, meta } = await this.#read(reference, { k, signal: work.signal })
        if (meta.type !== CATALOGUE_TYPE) throw new Error('it is not a part of the catalogue')
        catalogue.take(new Uint8Array(await data.arrayBuffer()), { ...reference, vault: this.id })
      } catch (error) {
        if (work.signal.aborted) throw error
        this.catalogue = 'broken'
        return reference === references[0] ? undefined : catalogue
      }
      next += 1
    }
    this.catalogue = 'whole'
    return catalogue
  }

  /** Without a head: parts of the catalogue are known by their META. */
  async #findCatalogue(work: Work): Promise<Catalogue | undefined> {
    const parts = new Map<number, (Reference & { kind: 'snapshot' | 'segment'; k: number })[]>()
    for (const [, groups] of this.#deals) {
      work.signal.throwIfAborted()
      const found = await this.#describe(groups)
      const match = found === undefined ? null : /^catalogue\/([0-9a-f]{16})$/.exec(found.meta.path)
      if (found === undefined || match === null || found.meta.type !== CATALOGUE_TYPE) continue
      const { object, version, dealId, k } = found.common
      const sequence = Number.parseInt(match[1]!, 16)
      try {
        const { data } = await this.#read(found.common, { k, signal: work.signal })
        const heading = headingOf(new Uint8Array(await data.arrayBuffer()))
        if (heading === undefined || heading.sequence !== sequence) continue
        parts.set(sequence, [...(parts.get(sequence) ?? []), { object, version, dealId, sequence, kind: heading.kind, k }])
      } catch (error) {
        if (work.signal.aborted) throw error
      }
    }
    const greatest = Math.max(0, ...[...parts.values()].flat().map(({ k }) => k))
    const clear = [...parts.entries()]
      .toSorted(([a], [b]) => a - b)
      .flatMap(([, rivals]) => {
        const strong = this.floor > 0 ? rivals : rivals.filter(({ k }) => k === greatest)
        return strong.length === 1 ? strong : []
      })
    const starts = clear.filter(({ kind }) => kind === 'snapshot').toReversed()
    if (this.floor === 0) this.floor = greatest
    for (const start of starts) {
      const chain = clear.filter((one) => one === start || (one.kind === 'segment' && one.sequence > start.sequence))
      const found = await this.#takeParts(chain, work)
      if (found !== undefined) return found
    }
    if (clear[0]?.sequence === 1 && starts.length === 0) return this.#takeParts(clear, work)
    return undefined
  }

  async #rowsByCatalogue(catalogue: Catalogue, work: Work): Promise<Row[]> {
    const named = new Set<string>(catalogue.dropped)
    for (const dealId of catalogue.deals.keys()) named.add(dealId)
    const standing = new Set<string>()
    for (const versions of catalogue.versions.values())
      for (const { dealId, object, version } of versions.values()) {
        named.add(dealId)
        standing.add(`${object} ${version}`)
      }
    for (const { dealId } of [this.choice.head?.catalogue, ...(this.choice.head?.segments ?? [])].filter((one) => one != null))
      named.add(dealId)
    const late = await this.#late(named, standing, work)
    const rows: Row[] = []
    for (const [file, path] of [...catalogue.paths].toSorted(([, a], [, b]) => (a < b ? -1 : 1))) {
      const versions = [...(catalogue.versions.get(file)?.values() ?? [])].toSorted((a, b) => b.number - a.number)
      const current = versions[0]
      if (current === undefined) continue
      const after = (late.get(pathKey(path)) ?? []).filter(({ meta }) => Date.parse(meta.created) >= Date.parse(current.created))
      late.delete(pathKey(path))
      rows.push(this.#row(path, after, { current, deal: catalogue.deals.get(current.dealId) }))
    }
    for (const [path, after] of [...late].toSorted(([a], [b]) => (a < b ? -1 : 1))) rows.push(this.#row(path, after, undefined))
    return rows
  }

  #row(
    path: string,
    after: readonly Late[],
    standing: { readonly current: Version; readonly deal: { readonly k: number; readonly size: number } | undefined } | undefined,
  ): Row {
    const clear = after.filter(({ clash }) => !clash).toSorted((a, b) => Date.parse(b.meta.created) - Date.parse(a.meta.created))
    const tries = [
      ...clear.map(({ common, meta }) => ({ ...dealing(common), k: common.k, size: meta.size, late: true })),
      ...(standing === undefined
        ? []
        : [
            {
              ...dealing(standing.current),
              k: Math.max(this.#told.k ?? 0, standing.deal?.k ?? this.floor),
              size: standing.deal?.size,
              late: false,
            },
          ]),
    ]
    const modified = clear[0]?.meta.modified ?? standing?.current.modified ?? after[0]?.meta.modified ?? ''
    return { path, size: tries[0]?.size, modified, tries, conflict: tries.length === 0 }
  }

  /** Dealings that the catalogue does not name, by the path that they were written under. */
  async #late(named: ReadonlySet<string>, standing: ReadonlySet<string>, work: Work): Promise<Map<string, Late[]>> {
    const found: Late[] = []
    const versions = new Map<string, number>()
    for (const [, groups] of this.#deals) {
      work.signal.throwIfAborted()
      const { dealId, object, version } = groups[0]!.common
      // What a change that was cut off dealt anew is a file already.
      if (named.has(dealId) || named.has(dealtFrom(groups[0]!.common) ?? '')) continue
      const one = await this.#describe(groups)
      if (one === undefined || one.meta.type === CATALOGUE_TYPE) continue
      if (standing.has(`${object} ${version}`)) {
        for (const file of groups.flatMap(({ files }) => files)) this.#note({ place: file.location, file: file.file, wrong: 'conflict' })
        continue
      }
      versions.set(`${object} ${version}`, (versions.get(`${object} ${version}`) ?? 0) + 1)
      found.push({ ...one, clash: false })
    }
    const late = new Map<string, Late[]>()
    for (const one of found) {
      const clash = (versions.get(`${one.common.object} ${one.common.version}`) ?? 0) > 1
      const key = pathKey(one.meta.path)
      late.set(key, [...(late.get(key) ?? []), { ...one, clash }])
    }
    return late
  }

  /** Without any catalogue: each object at its META path, the newest by `created` as current. */
  async #rowsByMeta(work: Work): Promise<Row[]> {
    const byObject = Map.groupBy([...this.#deals.values()].flat(), ({ common }) => common.object)
    const rows = new Map<string, { row: Row; created: string }>()
    const broken: Row[] = []
    for (const [object, groups] of byObject) {
      work.signal.throwIfAborted()
      const frames = await Promise.all([...new Set(groups.flatMap(({ files }) => files))].map((file) => fetchFrame(file, { front: true })))
      const report = assemble(frames, { vault: this.id, object, ...(this.floor > 0 ? { k: this.floor } : {}) })
      for (const frame of report.conflicts) this.#note({ place: frame.location, file: frame.file, wrong: 'conflict' })
      for (const frame of report.refused) this.#note({ place: frame.location, file: frame.file, wrong: 'refused' })
      if (report.chosen === undefined) {
        if (report.failure?.code === 'format.conflict')
          broken.push({ path: object, size: undefined, modified: '', tries: [], conflict: true })
        continue
      }
      const meta = this.#metaOf(report.chosen.meta, report.chosen.common, report.chosen.totals.paddedLen)
      if (meta === undefined || meta.type === CATALOGUE_TYPE) continue
      const { common } = report.chosen
      const row = {
        path: pathKey(meta.path),
        size: meta.size,
        modified: meta.modified,
        tries: [{ ...dealing(common), k: common.k, size: meta.size, late: false }],
        conflict: false,
      }
      const rival = rows.get(row.path)
      if (rival === undefined || Date.parse(rival.created) < Date.parse(meta.created)) rows.set(row.path, { row, created: meta.created })
    }
    return [...[...rows.values()].map(({ row }) => row).toSorted((a, b) => (a.path < b.path ? -1 : 1)), ...broken]
  }

  /** META of a dealing whose fragments verify at k places; undefined for anything less, or when the known dealer did not sign it. */
  async #describe(groups: readonly Group[]): Promise<{ meta: Meta; common: Common } | undefined> {
    if (Math.max(...groups.map(({ common }) => common.k)) < this.floor) return undefined
    const files = [...new Set(groups.flatMap((group) => group.files))]
    if (new Set(files.map(({ location }) => location)).size < Math.min(...groups.map(({ common }) => common.k))) return undefined
    const frames = await Promise.all(files.map((file) => fetchFrame(file, { front: true })))
    const { vault, object, version, dealId } = groups[0]!.common
    const { chosen } = assemble(frames, { vault, object, version, dealId, ...(this.floor > 0 ? { k: this.floor } : {}) })
    if (chosen === undefined) return undefined
    const meta = this.#metaOf(chosen.meta, chosen.common, chosen.totals.paddedLen)
    if (meta !== undefined) return { meta, common: chosen.common }
    for (const { location, file } of files) this.#note({ place: location, file, wrong: 'refused' })
    return undefined
  }

  #metaOf(bytes: Uint8Array, common: Common, paddedLen: number): Meta | undefined {
    try {
      const parsed = parseMeta(bytes)
      if (paddedLength(parsed.meta.size) !== paddedLen) return undefined
      const content = deriveKeys(new Uint8Array(32), common).contentId
      return this.#keys.length === 0 || this.#keys.some((keys) => verifyMeta(parsed, keys, content)) ? parsed.meta : undefined
    } catch {
      return undefined
    }
  }

  #blame(place: string, file: string, reason: string): void {
    this.#note({ place, file, wrong: reason.startsWith('record') ? 'record' : reason.includes('manifest') ? 'frame' : 'framing' })
  }

  #note(note: Note): void {
    if (!this.notes.some((one) => one.place === note.place && one.file === note.file && one.wrong === note.wrong)) this.notes.push(note)
  }
}

interface Late {
  readonly meta: Meta
  readonly common: Common
  readonly clash: boolean
}

/** Why a file did not come back, as a code that people are told in their words. */
export function lossOf(error: unknown): Failure['code'] | 'unknown' {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? (error.code as Failure['code']) : 'unknown'
}

async function takeFragment(place: Place, file: PlaceFile, groups: Map<string, Group>, notes: Note[]): Promise<void> {
  let frame
  const source = fragmentFile(place.label, file)
  try {
    frame = await fetchFrame(source, { front: true })
  } catch {
    notes.push({ place: place.label, file: file.name, wrong: 'unreadable' })
    return
  }
  if (frame.variants.length === 0) notes.push({ place: place.label, file: file.name, wrong: 'framing' })
  for (const { head } of frame.variants) {
    const key = toHex(head.commonBytes)
    const group = groups.get(key) ?? { common: head.common, files: [] }
    groups.set(key, group)
    if (group.files.filter(({ location }) => location === place.label).length < COPIES_MAX) group.files.push(source)
  }
}

async function takeHead(
  place: Place,
  { file, vault, epoch }: { readonly file: PlaceFile; readonly vault: string; readonly epoch: number },
  heads: Map<string, Map<string, Head>>,
  notes: Note[],
): Promise<void> {
  try {
    if (file.sizeBytes > HEAD_BYTES_MAX) throw new Error('it is too long')
    const bytes = await bytesOf(file)
    const known = heads.get(vault) ?? new Map<string, Head>()
    const key = toHex(sha256(bytes))
    const head = known.get(key) ?? parseHead(bytes, { vault, epoch })
    if (head.epoch !== epoch) throw new Error('it does not belong under its name')
    head.places.add(place.label)
    known.set(key, head)
    heads.set(vault, known)
  } catch {
    notes.push({ place: place.label, file: file.name, wrong: 'framing' })
  }
}

async function markerOf(file: PlaceFile): Promise<{ vault: string; location: string } | undefined> {
  try {
    const value = parseCanonical(await bytesOf(file, 0, Math.min(file.sizeBytes, 4096))) as { vault?: unknown; location?: unknown }
    const { vault, location } = value
    return typeof vault === 'string' && typeof location === 'string' ? { vault, location } : undefined
  } catch {
    return undefined
  }
}

function dealing({ object, version, dealId }: Dealing): Dealing {
  return { object, version, dealId }
}

function dealKey(deal: Dealing): string {
  return `${deal.object} ${deal.version} ${deal.dealId}`
}

function pathKey(path: string): string {
  return (path.startsWith('/') ? path : `/${path}`).normalize('NFC')
}
