// List, look up and rename among 10^6 objects, on the embedded database and on PostgreSQL, through the same catalogue.
import { join } from 'node:path'
import { randomInt } from 'node:crypto'
import { type DatabasePlace, insertMany, openDatabase, sql } from '#database'
import { newId } from '#format'
import { notFound, startServer } from '../scripts/servers.ts'
import { moveEntry, type Store } from '../src/storage/catalogue.ts'
import { listFolder, statEntry } from '../src/storage/listing.ts'
import { type StorageTables, storageMigrations } from '../src/storage/tables.ts'
import { inRounds, quantile, rounded } from './figures.ts'
import type { Workplace } from './workplace.ts'

const FOLDER_FILES = 1000
const LOCATIONS = ['1', '2', '3'].map((digit) => digit.repeat(32))
const AT = '2026-01-01T00:00:00.000Z'
const BATCH_ROWS = 20_000

interface Contender {
  readonly name: string
  readonly store: Store
}

/** What people ask of a catalogue, each at random places of it. */
const QUESTIONS: Readonly<Record<string, (store: Store, folders: number) => Promise<unknown>>> = {
  'list of 1000': (store, folders) =>
    listFolder(store.kysely, { path: folderName(randomInt(folders)), recursive: false, limit: FOLDER_FILES, present: LOCATIONS }),
  'list of 100 in the middle': (store, folders) => {
    const path = folderName(randomInt(folders))
    return listFolder(store.kysely, { path, recursive: false, after: `${path}/file-0500`, limit: 100, present: LOCATIONS })
  },
  stat: (store, folders) => statEntry(store.kysely, fileName(randomInt(folders), randomInt(FOLDER_FILES - 1)), LOCATIONS),
  'rename a file': (store, folders) => there(store, `${folderName(randomInt(folders))}/file-0999`),
  'rename a folder of 1000': (store, folders) => there(store, folderName(randomInt(folders))),
}

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  const objects = workplace.quick ? 10_000 : 1_000_000
  const turns = workplace.quick ? 20 : 500
  const folders = objects / FOLDER_FILES
  const server = await startServer('postgres')
  if (server === undefined) workplace.miss(notFound('postgres'))
  const places: Record<string, DatabasePlace> = {
    SQLite: { file: join(await workplace.folder(), 'bench.sqlite') },
    ...(server === undefined ? {} : { PostgreSQL: { postgres: { url: server.endpoint, schema: 'bench' } } }),
  }
  const contenders: Contender[] = []
  try {
    for (const [name, place] of Object.entries(places)) {
      const store = await openDatabase<StorageTables>({ ...place, migrations: storageMigrations })
      contenders.push({ name, store })
      const begun = performance.now()
      await fill(store, folders)
      // PostgreSQL does that by itself, within a minute or so after large changes.
      await sql`analyze`.execute(store.kysely)
      emit({
        bench: 'database',
        database: name,
        what: 'fill',
        objects,
        rowsPerSecond: Math.round((objects * 6) / ((performance.now() - begun) / 1000)),
      })
    }
    for (const [what, ask] of Object.entries(QUESTIONS)) {
      for (const { store } of contenders) for (let turn = 0; turn < 5; turn++) await ask(store, folders)
      const times = await inRounds(contenders, turns, async ({ store }) => {
        const begun = performance.now()
        await ask(store, folders)
        return performance.now() - begun
      })
      for (const contender of contenders) {
        const mine = times.get(contender)!
        const p50Ms = quantile(mine, 0.5)
        emit({
          bench: 'database',
          database: contender.name,
          what,
          objects,
          turns,
          p50Ms: rounded(p50Ms),
          p99Ms: rounded(quantile(mine, 0.99)),
          p50OfSqlite: rounded(p50Ms / quantile(times.get(contenders[0]!)!, 0.5)),
        })
      }
    }
  } finally {
    for (const { store } of contenders) await store.close()
    await server?.stop()
  }
}

/** There and back, so that the next turn finds what this one found. */
async function there(store: Store, path: string): Promise<void> {
  for (const [from, to] of [
    [path, `${path}-moved`],
    [`${path}-moved`, path],
  ] as const)
    await store.transaction((tx) => moveEntry(tx, { from, to, replace: false, at: new Date().toISOString() }))
}

async function fill(store: Store, folders: number): Promise<void> {
  const rows = Array.from({ length: folders }, (_, folder) => ({ path: folderName(folder), parent: '/', created: AT }))
  await store.transaction((tx) => insertMany(tx, 'folder', rows))
  const perBatch = BATCH_ROWS / FOLDER_FILES
  for (let first = 0; first < folders; first += perBatch) {
    const files = Array.from({ length: Math.min(perBatch, folders - first) * FOLDER_FILES }, (_, index) => {
      const folder = first + Math.floor(index / FOLDER_FILES)
      return { file: newId(), deal: newId(), path: fileName(folder, index % FOLDER_FILES), parent: folderName(folder) }
    })
    await store.transaction(async (tx) => {
      const size = 300_000
      await insertMany(
        tx,
        'deal',
        files.map(({ file, deal }) => ({
          deal,
          object: file,
          version: 1,
          k: 2,
          n: 3,
          layout: 'shared',
          chunk_log2: 18,
          size,
          padded: size,
          type: 'application/dicom',
          created: AT,
          state: 'stored',
          purpose: 'file',
        })),
      )
      await insertMany(
        tx,
        'fragment',
        files.flatMap(({ deal }) =>
          LOCATIONS.map((location, index) => {
            const id = newId()
            return { deal, x: index + 1, location, name: `${id.slice(0, 2)}/${id}`, commitment: id + id, size, state: 'held' }
          }),
        ),
      )
      await insertMany(
        tx,
        'file',
        files.map(({ file, path, parent }) => ({ file, path, parent, current: 1, since: AT })),
      )
      await insertMany(
        tx,
        'file_version',
        files.map(({ file, deal }) => ({ file, number: 1, deal, created: AT, modified: AT, at: AT })),
      )
    })
  }
}

function folderName(folder: number): string {
  return `/study-${String(folder).padStart(4, '0')}`
}

function fileName(folder: number, file: number): string {
  return `${folderName(folder)}/file-${String(file).padStart(4, '0')}`
}
