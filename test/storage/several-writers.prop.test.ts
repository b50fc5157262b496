// Laws of several sites that write one catalogue: whatever they do and in whatever order they hear of each other, all end with the same
// catalogue, and nothing that one of them was told is stored is lost unless somebody who saw it removed it.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Failure, systemClock } from '#base'
import { type Database, openDatabase } from '#database'
import { addVersion, copyEntry, createFolder, moveEntry, removeEntry } from '../../src/storage/catalogue.ts'
import { applyLine } from '../../src/storage/catalogue-apply.ts'
import { type CatalogueLine, parseLine } from '../../src/storage/catalogue-lines.ts'
import { setGrant } from '../../src/storage/grants.ts'
import { setKeeping } from '../../src/storage/keeping.ts'
import { isReserved } from '../../src/storage/paths.ts'
import { rebase } from '../../src/storage/rebase.ts'
import { type StorageTables, storageMigrations } from '../../src/storage/tables.ts'
import { moveToTrash, removeFromTrash, restoreFromTrash } from '../../src/storage/trash.ts'
import { chance, type Chance } from './crash-model.ts'

const AT = '2026-11-20T12:00:00.000Z'
const context = { clock: { ...systemClock, now: () => Date.parse(AT) }, places: [], threshold: 2, layout: 'shared' } as const
const NAMES = ['a', 'b', 'c.txt'] as const

type Tx = Parameters<Parameters<Database<StorageTables>['transaction']>[0]>[0]

class World {
  readonly log: CatalogueLine[][] = []
  readonly put = new Map<string, string>()
  /** Dealings that somebody removed who could see them. */
  readonly removed = new Set<string>()
  readonly history: string[] = []
  #counter = 0

  /** A time of its own for everything. */
  now(): string {
    this.#counter += 1
    return new Date(Date.parse(AT) + this.#counter).toISOString()
  }

  id(): string {
    this.#counter += 1
    return this.#counter.toString(16).padStart(32, '0')
  }
}

class Site {
  readonly db: Database<StorageTables>
  readonly name: string
  readonly #world: World
  #heard = 0

  private constructor(db: Database<StorageTables>, name: string, world: World) {
    this.db = db
    this.name = name
    this.#world = world
  }

  static async open(name: string, world: World): Promise<Site> {
    const db = await openDatabase<StorageTables>({ file: ':memory:', migrations: storageMigrations })
    await db.kysely.insertInto('writer_certificate').values({ fingerprint: name, by_whom: '', certificate: '{}', added: AT }).execute()
    return new Site(db, name, world)
  }

  async act(what: string, work: (tx: Tx) => Promise<unknown>): Promise<boolean> {
    try {
      await this.db.transaction(work)
      this.#world.history.push(`${this.name}: ${what}`)
      return true
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return false
    }
  }

  async putFile(path: string): Promise<void> {
    const deal = this.#world.id()
    const file = this.#world.id()
    const done = await this.act(`put ${path} ${deal.slice(-3)}`, async (tx) => {
      const row = {
        deal,
        object: this.#world.id(),
        version: 1,
        k: 2,
        n: 3,
        layout: 'shared',
        chunk_log2: 18,
        size: 1,
        padded: 1024,
        type: 'x',
        created: AT,
        state: 'stored',
        purpose: 'file',
      } as const
      await tx.insertInto('deal').values(row).execute()
      const standing = await tx.selectFrom('file').select('file').where('path', '=', path).executeTakeFirst()
      await addVersion(tx, {
        path,
        file: standing?.file ?? file,
        deal: row,
        created: AT,
        modified: AT,
        at: this.#world.now(),
        ifAbsent: false,
      })
    })
    if (done) this.#world.put.set(deal, path)
  }

  async remove(path: string, version?: number): Promise<void> {
    const seen = await this.#dealsBelow(path, version)
    const done = await this.act(`remove ${path} ${version ?? ''}`, (tx) => removeEntry(tx, { path, recursive: true, version }))
    if (done) for (const deal of seen) this.#world.removed.add(deal)
  }

  async move(from: string, to: string, replace: boolean): Promise<void> {
    const seen = replace ? await this.#dealsBelow(to) : []
    const done = await this.act(`move ${from} ${to}`, (tx) =>
      moveEntry(tx, { from, to, replace: replace && displace, at: this.#world.now() }),
    )
    if (done) for (const deal of seen) this.#world.removed.add(deal)
  }

  async trash(path: string): Promise<void> {
    await this.act(`trash ${path}`, (tx) => moveToTrash(tx, { path, recursive: true, by: this.name, at: this.#world.now() }))
  }

  /** Restores one entry of the trash, or removes it for good. */
  async untrash(which: number, forGood: boolean): Promise<void> {
    const rows = await this.db.kysely.selectFrom('trash').selectAll().orderBy('id').execute()
    const row = rows[which % Math.max(1, rows.length)]
    if (row === undefined) return
    const seen = forGood ? await this.#dealsBelow(`/.quorate-trash/${row.id}`) : []
    const done = await this.act(`${forGood ? 'empty' : 'restore'} ${row.path}`, (tx) =>
      forGood
        ? removeFromTrash(tx, { id: row.id, now: this.#world.now(), dropped: async () => undefined })
        : restoreFromTrash(tx, { id: row.id, at: this.#world.now() }),
    )
    if (done) for (const deal of seen) this.#world.removed.add(deal)
  }

  async keep(path: string, days: number | null): Promise<void> {
    const rule = { versionsDays: null, versionsMin: null, trashDays: days, holdUntil: null }
    await this.act(`keep ${path} ${days}`, (tx) => setKeeping(tx, { path, ...rule, release: false, by: this.name, at: this.#world.now() }))
  }

  async grant(path: string, subject: string, right: 'read' | 'manage' | null): Promise<void> {
    await this.act(`grant ${path} ${subject} ${right}`, (tx) =>
      setGrant(tx, { path, subject, right, until: null, by: this.name, at: this.#world.now() }),
    )
  }

  async #dealsBelow(path: string, version?: number): Promise<string[]> {
    const rows = await this.db.kysely
      .selectFrom('file_version as v')
      .innerJoin('file as f', 'f.file', 'v.file')
      .select(['v.deal', 'v.number', 'f.path'])
      .execute()
    return rows
      .filter((row) => (row.path === path || row.path.startsWith(`${path}/`)) && (version === undefined || row.number === version))
      .map((row) => row.deal)
  }

  async paths(): Promise<string[]> {
    return (await this.everyPath()).filter((path) => !isReserved(path))
  }

  async everyPath(): Promise<string[]> {
    const files = await this.db.kysely.selectFrom('file').select('path').orderBy('path').execute()
    const folders = await this.db.kysely.selectFrom('folder').select('path').orderBy('path').execute()
    return [...files, ...folders].map(({ path }) => path)
  }

  async pull(): Promise<void> {
    const theirs = this.#world.log.slice(this.#heard).flat()
    if (this.#heard === this.#world.log.length) return
    this.#world.history.push(`${this.name}: hears ${theirs.length} lines`)
    await this.db.transaction((tx) => rebase(tx, theirs, { context, site: this.name }))
    this.#heard = this.#world.log.length
  }

  async push(): Promise<void> {
    await this.pull()
    const rows = await this.db.kysely.selectFrom('change').select('line').orderBy('id').execute()
    if (rows.length === 0) return
    this.#world.history.push(`${this.name}: writes ${rows.length} lines`)
    this.#world.log.push(rows.map(({ line }) => parseLine(line)))
    this.#heard = this.#world.log.length
    await this.db.kysely.deleteFrom('change').execute()
  }

  async state(): Promise<object> {
    const { kysely } = this.db
    return {
      folders: (await kysely.selectFrom('folder').select(['path', 'parent']).orderBy('path').execute()).map(
        ({ path, parent }) => `${parent} ${path}`,
      ),
      files: await kysely.selectFrom('file').selectAll().orderBy('file').execute(),
      versions: await kysely.selectFrom('file_version').selectAll().orderBy('file').orderBy('number').execute(),
      past: await kysely.selectFrom('past_name').selectAll().orderBy('file').orderBy('since').execute(),
      trash: await kysely.selectFrom('trash').selectAll().orderBy('id').execute(),
      keeping: await kysely.selectFrom('keeping').selectAll().orderBy('path').execute(),
      grants: await kysely.selectFrom('path_grant').selectAll().orderBy('path').orderBy('subject').execute(),
      deals: await kysely.selectFrom('deal').select(['deal', 'state']).orderBy('deal').execute(),
    }
  }
}

const displace = async (tx: Tx, path: string): Promise<void> => {
  await removeEntry(tx, { path, recursive: false })
}

async function step(site: Site, random: Chance): Promise<void> {
  const some = async (): Promise<string> => {
    const all = await site.paths()
    return all.length === 0 ? '/a' : all[random.below(all.length)]!
  }
  const fresh = async (): Promise<string> => {
    const folders = (await site.db.kysely.selectFrom('folder').select('path').orderBy('path').execute())
      .map(({ path }) => path)
      .filter((path) => !isReserved(path))
    const parent = random.below(3) === 0 || folders.length === 0 ? '' : folders[random.below(folders.length)]!
    return `${parent}/${NAMES[random.below(NAMES.length)]}`
  }
  const kind = random.below(100)
  if (kind < 30) await site.putFile(random.below(2) === 0 ? await some() : await fresh())
  else if (kind < 42) {
    const path = await fresh()
    await site.act(`folder ${path}`, (tx) => createFolder(tx, path, AT))
  } else if (kind < 60) await site.move(await some(), await fresh(), random.below(2) === 0)
  else if (kind < 66) {
    const [from, to] = [await some(), await fresh()]
    await site.act(`copy ${from} ${to}`, (tx) => copyEntry(tx, { from, to, replace: false, at: AT }))
  } else if (kind < 69) await site.remove(await some())
  else if (kind < 74) await site.trash(await some())
  else if (kind < 76) await site.untrash(random.below(100), random.below(3) === 0)
  else if (kind < 77) await site.keep(await some(), random.below(2) === 0 ? null : random.below(9))
  else if (kind < 80)
    await site.grant(
      await some(),
      random.below(2) === 0 ? 'person:one' : 'group:two',
      ([null, 'read', 'manage'] as const)[random.below(3)]!,
    )
  else if (kind < 83) await site.remove(await some(), 1 + random.below(3))
  else if (kind < 90) await site.pull()
  else await site.push()
}

async function history(seed: number, request: { readonly sites: number; readonly steps: number }): Promise<World> {
  const random = chance(seed)
  const world = new World()
  const sites = await Promise.all(Array.from({ length: request.sites }, (_, index) => Site.open('XYZ'[index]!, world)))
  try {
    for (let at = 0; at < request.steps; at++) await step(sites[random.below(sites.length)]!, random)
    for (const site of sites) await site.push()
    for (const site of sites) await site.pull()
    const reader = await Site.open('reader', world)
    sites.push(reader)
    await reader.db.transaction(async (tx) => {
      for (const line of world.log.flat()) await applyLine(tx, line, context)
      await tx.deleteFrom('change').execute()
    })
    const [first, ...others] = await Promise.all(sites.map((site) => site.state()))
    for (const other of others) assert.deepEqual(other, first)
    const standing = new Set([...(await reader.everyPath()), '/'])
    for (const { path } of await reader.db.kysely.selectFrom('path_grant').select('path').execute())
      assert.ok(standing.has(path), `a grant on ${path}, where nothing stands`)
    const rows = await reader.db.kysely.selectFrom('deal').select(['deal', 'state']).execute()
    const named = new Set((await reader.db.kysely.selectFrom('file_version').select('deal').execute()).map(({ deal }) => deal))
    for (const { deal, state } of rows) assert.equal(state, named.has(deal) ? 'stored' : 'dropping', `dealing ${deal.slice(-3)}`)
    for (const [deal, path] of world.put)
      assert.ok(named.has(deal) || world.removed.has(deal), `${path} of dealing ${deal.slice(-3)} is lost`)
    return world
  } catch (error) {
    throw new Error(`seed ${seed}\n${world.history.join('\n')}`, { cause: error })
  } finally {
    for (const { db } of sites) await db.close()
  }
}

suite('several writers', () => {
  test('all sites converge, and nothing acknowledged is lost', async () => {
    let lines = 0
    for (let seed = 1; seed <= 25; seed++) lines += (await history(seed, { sites: 2 + (seed % 2), steps: 60 })).log.flat().length
    assert.ok(lines > 300, `${lines} lines`)
  })
})
