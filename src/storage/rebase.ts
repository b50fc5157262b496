// Own changes on top of those of other writers: nothing that anybody was told is stored gets lost (docs/spec/vault.md, "Several writers").
import { Failure, limits, rfc3339, utf8 } from '#base'
import type { Transaction } from '#database'
import { newId } from '#format'
import { createFolder, dealLine, dropUnnamed, log, moveEntry, removeEntry } from './catalogue.ts'
import { type ApplyContext, applyLine } from './catalogue-apply.ts'
import { type CatalogueLine, parseLine } from './catalogue-lines.ts'
import { addDebris } from './intent.ts'
import { foldersAbove, isBelow, isReserved, splitPath, TRASH } from './paths.ts'
import { parseForgotten, parseRemoved, parseReplaced, undoLine } from './rebase-undo.ts'
import type { FragmentTable, StorageTables } from './tables.ts'

type Tx = Transaction<StorageTables>

export interface RebaseRequest {
  readonly context: ApplyContext
  /** What people call this site; part of the names of conflict copies. */
  readonly site: string
}

interface OwnLine {
  readonly line: CatalogueLine
  readonly undo: string | null
}

/**
 * The state of the vault's log is the base; `change` holds what this site did after it. Afterwards the base includes `theirs`, the database what
 * both did, and `change` the lines that lead from one to the other:
 * two files of one path: ours becomes a conflict copy; two versions of one file: both stay, ours is current; a removal beside a change of the same
 * file: the change stays; what was put into a folder that moved lands in the moved folder; of two moves ours, the later, counts.
 */
export async function rebase(tx: Tx, theirs: readonly CatalogueLine[], request: RebaseRequest): Promise<void> {
  const own = await takeBack(tx)
  for (const line of theirs) await applyLine(tx, line, request.context)
  await tx.deleteFrom('change').execute()
  await applyOwn(tx, own, theirs, request)
}

/** Takes all own changes back; the database is as the log says, and `change` is empty. */
export async function takeBack(tx: Tx): Promise<OwnLine[]> {
  const rows = await tx.selectFrom('change').select(['line', 'undo']).orderBy('id').execute()
  const own = rows.map(({ line, undo }) => ({ line: parseLine(line), undo }))
  for (const { line, undo } of own.toReversed()) await undoLine(tx, line, undo)
  await tx.deleteFrom('change').execute()
  return own
}

/** Applies own changes to a state that others have changed; `theirs` is how. */
export async function applyOwn(tx: Tx, own: readonly OwnLine[], theirs: readonly CatalogueLine[], request: RebaseRequest): Promise<void> {
  const redo = new Redo(tx, theirs, request)
  for (const one of own) await redo.apply(one)
  await redo.end()
}

class Redo {
  readonly #tx: Tx
  readonly #request: RebaseRequest
  readonly #moves: readonly { readonly from: string; readonly to: string }[]
  /** Versions that the others' lines name: ours came there already, by a head that we did not hear of. */
  readonly #known: ReadonlySet<string>
  /** Sets that the others' lines describe. */
  readonly #drawn = new Map<string, { readonly generation: number; readonly names: readonly string[] }>()
  /** Names of fragments that they wrote. */
  readonly #placed: ReadonlySet<string>
  /** Where own paths are now, the latest first to count. */
  readonly #rules: { readonly from: string; readonly to: string }[] = []
  readonly #numbers = new Map<string, number>()
  /** Dealings that may be named by nobody after all. */
  readonly #loose = new Set<string>()

  constructor(tx: Tx, theirs: readonly CatalogueLine[], request: RebaseRequest) {
    this.#tx = tx
    this.#request = request
    // What they put into the trash is no new place for what we put there.
    this.#moves = theirs.flatMap((line) => (line.op === 'move' && !isReserved(line.to) ? [line] : []))
    this.#placed = new Set(
      theirs.flatMap((line) => (line.op === 'place' ? [line.name] : line.op === 'deal' ? line.fragments.map(({ name }) => name) : [])),
    )
    for (const line of theirs)
      if (line.op === 'deal')
        this.#drawn.set(line.dealId, {
          generation: line.generation ?? 0,
          names: line.fragments.map(({ location, name }) => `${location} ${name}`),
        })
    this.#known = new Set(theirs.flatMap((line) => (line.op === 'file' ? [`${line.file} ${line.number} ${line.dealId}`] : [])))
  }

  async apply({ line, undo }: OwnLine): Promise<void> {
    switch (line.op) {
      case 'folder':
        return this.#folder(line)
      case 'deal':
        return this.#deal(line)
      case 'file':
        return parseReplaced(undo) === undefined ? this.#file(line) : this.#anew(line, parseReplaced(undo)!)
      case 'move':
        return this.#move(line)
      case 'remove':
        return this.#remove(line, undo)
      case 'forget':
        return this.#forget(line, undo)
      case 'drop':
        this.#loose.add(line.dealId)
        return
      case 'place':
      case 'unplace': {
        const deal = await this.#tx.selectFrom('deal').select('state').where('deal', '=', line.dealId).executeTakeFirst()
        if (deal?.state !== 'stored') return
        // Others drew the whole set anew: a fragment of the old one is good for nothing.
        if (this.#drawn.has(line.dealId)) return line.op === 'place' ? addDebris(this.#tx, [line]) : undefined
        if (line.op === 'place')
          await this.#leave(line.dealId, (row) => (row.x === line.x || row.location === line.location) && row.name !== line.name)
        break
      }
      case 'trash': {
        const below = `${TRASH}/${line.id}`
        if (await this.#nothingElse(below, new Set(), new Set())) return
        await applyLine(this.#tx, line, this.#request.context)
        return
      }
      case 'keep':
        // It notes itself.
        return applyLine(this.#tx, line, this.#request.context)
      case 'grant':
        // On what they moved meanwhile it goes along; on what they removed it means nothing any more. It notes itself.
        return applyLine(this.#tx, { ...line, path: this.#translate(line.path) }, this.#request.context)
      case 'vault':
      case 'location':
      case 'leave':
      case 'name':
      case 'history':
      case 'deletion':
      case 'upload':
      case 'upload-end':
    }
    await applyLine(this.#tx, line, this.#request.context)
    await log(this.#tx, [line])
  }

  async end(): Promise<void> {
    // What was given up for a fragment that does not count after all is wanted again.
    await this.#tx
      .deleteFrom('debris')
      .where((eb) =>
        eb.exists(
          eb
            .selectFrom('fragment')
            .innerJoin('deal', 'deal.deal', 'fragment.deal')
            .select('fragment.x')
            .where('deal.state', '=', 'stored')
            .whereRef('fragment.location', '=', 'debris.location')
            .whereRef('fragment.name', '=', 'debris.name'),
        ),
      )
      .execute()
    const all = [...this.#loose]
    for (let at = 0; at < all.length; at += 500) {
      const stored = await this.#tx
        .selectFrom('deal')
        .select('deal')
        .where('deal', 'in', all.slice(at, at + 500))
        .where('state', '=', 'stored')
        .where('purpose', '=', 'file')
        .execute()
      await dropUnnamed(
        this.#tx,
        stored.map(({ deal }) => deal),
      )
    }
  }

  async #folder(line: CatalogueLine & { op: 'folder' }): Promise<void> {
    const landing = await this.#landing(line.path)
    if (await this.#fileAt(landing)) {
      const free = await this.#conflictName(landing)
      this.#rules.push({ from: line.path, to: free })
      await createFolder(this.#tx, free, line.created)
    } else await createFolder(this.#tx, landing, line.created)
  }

  /** A new dealing, or the fragments of one that was reshaped. Of two sets the later generation stands, of equal ones theirs. */
  async #deal(line: CatalogueLine & { op: 'deal' }): Promise<void> {
    this.#loose.add(line.dealId)
    const standing = await this.#tx.selectFrom('deal').select('state').where('deal', '=', line.dealId).executeTakeFirst()
    if (standing === undefined) return
    const theirs = this.#drawn.get(line.dealId)
    if (theirs !== undefined && theirs.generation >= (line.generation ?? 0)) {
      const named = new Set(theirs.names)
      return addDebris(
        this.#tx,
        line.fragments.filter(({ location, name }) => !named.has(`${location} ${name}`)),
      )
    }
    const named = new Set(line.fragments.map(({ location, name }) => `${location} ${name}`))
    await this.#leave(line.dealId, ({ location, name }) => !named.has(`${location} ${name}`))
    await applyLine(this.#tx, line, this.#request.context)
    if (standing.state === 'dropping')
      await this.#tx.updateTable('deal').set({ state: 'dropping' }).where('deal', '=', line.dealId).execute()
    else await log(this.#tx, [line])
  }

  /** Fragments that ours replace are debris, where the others' lines had just put them. */
  async #leave(deal: string, which: (row: FragmentTable) => boolean): Promise<void> {
    const rows = await this.#tx.selectFrom('fragment').selectAll().where('deal', '=', deal).execute()
    await addDebris(
      this.#tx,
      rows.flatMap((row) =>
        row.name !== null && this.#placed.has(row.name) && which(row) ? [{ location: row.location, name: row.name }] : [],
      ),
    )
  }

  /** A version under a new dealing keeps its number, if it is still what was dealt anew. */
  async #anew(line: CatalogueLine & { op: 'file' }, replaced: string): Promise<void> {
    const number = this.#numbers.get(`${line.file} ${line.number}`) ?? line.number
    const row = await this.#tx
      .selectFrom('file_version')
      .select('deal')
      .where('file', '=', line.file)
      .where('number', '=', number)
      .executeTakeFirst()
    if (row?.deal !== replaced) return
    const { path } = await this.#tx.selectFrom('file').select('path').where('file', '=', line.file).executeTakeFirstOrThrow()
    await this.#tx
      .updateTable('file_version')
      .set({ deal: line.dealId })
      .where('file', '=', line.file)
      .where('number', '=', number)
      .execute()
    this.#loose.add(replaced)
    await log(this.#tx, [{ ...line, path, number }], replaced)
  }

  async #file(line: CatalogueLine & { op: 'file' }): Promise<void> {
    if (this.#known.has(`${line.file} ${line.number} ${line.dealId}`)) return
    const tx = this.#tx
    const deal = await tx.selectFrom('deal').selectAll().where('deal', '=', line.dealId).executeTakeFirst()
    // Its bytes are gone everywhere since long: a name alone would be a lie.
    if (deal === undefined) return
    const found = await tx.selectFrom('file').selectAll().where('file', '=', line.file).executeTakeFirst()
    // What they put into the trash stays there; what we stored meanwhile stands where we stored it.
    const trashed = found !== undefined && isReserved(found.path) && !isReserved(line.path)
    const standing = trashed ? undefined : found
    const file = trashed ? newId() : line.file
    let path: string
    let number = trashed ? 1 : line.number
    if (standing !== undefined) {
      path = standing.path
      const newest = await tx
        .selectFrom('file_version')
        .select((eb) => eb.fn.max('number').as('number'))
        .where('file', '=', line.file)
        .executeTakeFirst()
      if ((newest?.number ?? 0) >= number) number = (newest?.number ?? 0) + 1
      if (number !== line.number) this.#numbers.set(`${line.file} ${line.number}`, number)
      await tx.updateTable('file').set({ current: number }).where('file', '=', line.file).execute()
    } else {
      path = await this.#landing(line.path)
      if (await this.#taken(path)) path = await this.#conflictName(path)
      if (path !== this.#translate(line.path)) this.#rules.push({ from: line.path, to: path })
      const { parent } = splitPath(path)
      await createFolder(tx, parent, line.created)
      await tx
        .insertInto('file')
        .values({ file, path, parent, current: number, since: line.at ?? line.created })
        .execute()
    }
    await tx
      .insertInto('file_version')
      .values({ file, number, deal: line.dealId, created: line.created, modified: line.modified, at: line.at ?? line.created })
      .execute()
    // Somebody removed the last name of a dealing that we had just given another one.
    if (deal.state === 'dropping') {
      await tx.updateTable('deal').set({ state: 'stored' }).where('deal', '=', deal.deal).execute()
      await log(tx, [await dealLine(tx, deal)])
    }
    await log(tx, [{ ...line, file, path, number }])
  }

  async #move(line: CatalogueLine & { op: 'move' }): Promise<void> {
    const from = this.#translate(line.from)
    const above = splitPath(line.from)
    const again = join(this.#translate(above.parent), above.name)
    const leave = (to: string): void => {
      this.#rules.push({ from: line.from, to: again }, { from: line.to, to })
    }
    if (!(await this.#taken(from))) return
    // Both removed it: it lies in the trash already.
    if (isReserved(from) && isReserved(line.to)) return leave(from)
    let to = await this.#landing(line.to)
    // They moved the target into what we move: it stays where they put it.
    if (to === from || isBelow(to, from)) return leave(from)
    if (await this.#taken(to)) to = await this.#conflictName(to)
    try {
      await moveEntry(this.#tx, { from, to, replace: false, at: line.at ?? rfc3339(this.#request.context.clock.now()) })
    } catch (error) {
      // Together both moves would make a path too long: theirs stands.
      if (!(error instanceof Failure) || error.code !== 'storage.path') throw error
      return leave(from)
    }
    leave(to)
  }

  async #remove(line: CatalogueLine & { op: 'remove' }, undo: string | null): Promise<void> {
    const tx = this.#tx
    const taken = parseRemoved(undo)
    const going: string[] = []
    for (const one of taken.files) {
      const row = await tx.selectFrom('file').select('path').where('file', '=', one.file).executeTakeFirst()
      // Whoever moved or changed it meanwhile wants it.
      if (row === undefined || row.path !== this.#ours(one.path)) continue
      const versions = await tx.selectFrom('file_version').select(['number', 'deal']).where('file', '=', one.file).execute()
      const same = versions.every(({ number, deal }) =>
        one.versions.some((known) => known.deal === deal && (this.#numbers.get(`${one.file} ${known.number}`) ?? known.number) === number),
      )
      if (same) going.push(row.path)
    }
    const path = this.#ours(line.path)
    const folders = new Set(taken.folders.map((one) => this.#ours(one.path)))
    if (going.length === 1 && going[0] === path) return void (await removeEntry(tx, { path, recursive: false }))
    if (folders.has(path) && (await folderAt(tx, path)) && (await this.#nothingElse(path, new Set(going), folders))) {
      await removeEntry(tx, { path, recursive: true })
      return
    }
    for (const one of going) await removeEntry(tx, { path: one, recursive: false })
    for (const folder of [...folders].toSorted().toReversed())
      if ((await folderAt(tx, folder)) && (await this.#nothingElse(folder, new Set(), new Set([folder]))))
        await removeEntry(tx, { path: folder, recursive: false })
  }

  async #nothingElse(path: string, files: ReadonlySet<string>, folders: ReadonlySet<string>): Promise<boolean> {
    for (const [table, known] of [
      ['file', files],
      ['folder', folders],
    ] as const) {
      const rows = await this.#tx.selectFrom(table).select('path').where('path', '>=', `${path}/`).where('path', '<', `${path}0`).execute()
      if (rows.some((row) => !known.has(row.path))) return false
    }
    return true
  }

  async #forget(line: CatalogueLine & { op: 'forget' }, undo: string | null): Promise<void> {
    const one = parseForgotten(undo)
    const number = this.#numbers.get(`${line.file} ${line.number}`) ?? line.number
    const rows = await this.#tx.selectFrom('file_version').select(['number', 'deal']).where('file', '=', line.file).execute()
    const row = rows.find((found) => found.number === number)
    // The last version of a file goes by a removal only.
    if (one === undefined || row === undefined || row.deal !== one.deal || rows.length < 2) return
    const file = await this.#tx.selectFrom('file').select('path').where('file', '=', line.file).executeTakeFirstOrThrow()
    await removeEntry(this.#tx, { path: file.path, recursive: false, version: number })
  }

  /** Where an own path is by own moves and renamings alone. */
  #ours(path: string): string {
    return this.#ruled(path) ?? path
  }

  /** Where it is when those of the others count as well. */
  #translate(path: string): string {
    const ruled = this.#ruled(path)
    if (ruled !== undefined) return ruled
    let at = path
    for (const { from, to } of this.#moves) if (at === from || isBelow(at, from)) at = to + at.slice(from.length)
    return at
  }

  #ruled(path: string): string | undefined {
    const rule = this.#rules.findLast(({ from }) => path === from || isBelow(path, from))
    return rule === undefined ? undefined : rule.to + path.slice(rule.from.length)
  }

  /** Where it is to go; a folder above it whose name a file has taken gets another name. */
  async #landing(path: string): Promise<string> {
    const at = this.#translate(path)
    for (const folder of foldersAbove(at)) {
      if (!(await this.#fileAt(folder))) continue
      const free = await this.#conflictName(folder)
      const rest = at.slice(folder.length)
      if (path.endsWith(rest)) this.#rules.push({ from: path.slice(0, path.length - rest.length), to: free })
      return free + rest
    }
    return at
  }

  async #fileAt(path: string): Promise<boolean> {
    return (await this.#tx.selectFrom('file').select('path').where('path', '=', path).executeTakeFirst()) !== undefined
  }

  async #taken(path: string): Promise<boolean> {
    return (await this.#fileAt(path)) || folderAt(this.#tx, path)
  }

  /** `name (conflict SITE 2026-11-20).ext`, with a number when that is taken as well. */
  async #conflictName(path: string): Promise<string> {
    const { parent, name } = splitPath(path)
    const dot = name.lastIndexOf('.')
    const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
    const day = rfc3339(this.#request.context.clock.now()).slice(0, 10)
    for (let count = 1; count <= 10_000; count++) {
      const mark = ` (conflict ${this.#request.site} ${day}${count === 1 ? '' : ` ${count}`})`
      const made = join(parent, shortened(stem, limits.pathSegmentBytesMax - utf8(mark).length - utf8(ending).length) + mark + ending)
      if (!(await this.#taken(made))) return made
    }
    throw new Failure('storage.exists', { detail: `${path} has too many conflict copies`, next: 'Remove some of them.' })
  }
}

async function folderAt(tx: Tx, path: string): Promise<boolean> {
  return path === '/' || (await tx.selectFrom('folder').select('path').where('path', '=', path).executeTakeFirst()) !== undefined
}

function join(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`
}

/** Whole characters, at most so many bytes. */
function shortened(text: string, bytesMax: number): string {
  let out = ''
  let bytes = 0
  for (const character of text) {
    bytes += utf8(character).length
    if (bytes > bytesMax) break
    out += character
  }
  return out
}
