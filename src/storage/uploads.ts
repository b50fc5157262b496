// Uploads that go on after any interruption: begun, asked after, woken, proven, sent in parts, finished; parked in between.
import { Failure, rfc3339, tracesOf } from '#base'
import { toProblem, type Stored, type Upload, type UploadTurn } from '#contract'
import { newId } from '#format'
import { addVersion, requireWritable } from './catalogue.ts'
import { CATALOGUE_TYPE } from './catalogue-lines.ts'
import { contentTypeOf } from './content-type.ts'
import { undoIntent } from './intent.ts'
import type { WriteOutcome } from './object-writer.ts'
import type { SiteCore, Witness } from './site-core.ts'
import type { UploadTable } from './tables-upload.ts'
import { tellEnd, tellUpload } from './told-uploads.ts'
import { type UploadIntent, UploadSession } from './upload-session.ts'
import type { Vault } from './vault.ts'

/** Without a sign of life for so long, an unfinished upload is removed. */
export const UPLOAD_KEPT_MS = 7 * 24 * 3_600_000
const DONE_KEPT_MS = 24 * 3_600_000
/** An upload that nobody sends keeps its place in memory for so long; less when somebody else waits for memory. */
const IDLE_MS = 10 * 60_000
const IDLE_PRESSED_MS = 2000
const PRESSED_MS = 60_000
/** Awake at once. */
const AWAKE_MAX = 16
/** Unfinished ones that a site keeps. */
const KEPT_MAX = 1000
const ACTIVE_NOTED_MS = 60_000
const CHUNK_LOG2 = 18

export interface UploadAsked {
  readonly path: string
  readonly size: number
  readonly modified?: string | undefined
  readonly type?: string | undefined
  readonly ifAbsent: boolean
}

/** Answers the answer of storing, from what the writer achieved. */
export type Answer = (request: { readonly path: string; readonly outcome: WriteOutcome }) => Promise<Stored>

export class Uploads {
  readonly #core: SiteCore
  readonly #answer: Answer
  readonly #awake = new Map<string, UploadSession>()
  readonly #problems = new Map<string, Failure>()
  /** Being woken, begun anew or parked: whoever wants it too waits for that. */
  readonly #busy = new Map<string, Promise<unknown>>()
  readonly #timers = new Map<string, AbortController>()
  /** Who wants to see the end of an upload, in its transaction. */
  readonly #witnesses = new WeakMap<UploadSession, Witness>()
  #pressedUntilMs = 0
  #closed = false

  constructor(core: SiteCore, answer: Answer) {
    this.#core = core
    this.#answer = answer
  }

  async begin(request: UploadAsked, actor: string): Promise<UploadTurn> {
    const { vault, log } = this.#core.open()
    const { db, clock } = this.#core
    vault.parts.signer()
    const { path, file } = await requireWritable(db.kysely, request.path, request.ifAbsent)
    const type = request.type ?? contentTypeOf(path)
    if (type === CATALOGUE_TYPE)
      throw new Failure('base.invalid', { detail: 'this media type is reserved', next: 'Store the file under another type.' })
    await this.#makeRoom()
    const upload = newId()
    const created = rfc3339(clock.now())
    const row: Omit<UploadTable, 'intent'> = {
      upload,
      actor,
      path,
      file: file?.file ?? newId(),
      size: request.size,
      modified: request.modified ?? null,
      type,
      if_absent: request.ifAbsent ? 1 : 0,
      created,
      active: created,
      restarts: 0,
      state: 'open',
      stored: null,
    }
    await vault.begin({ object: newId(), purpose: 'file', type, created, chunkLog2: CHUNK_LOG2 }, async (tx, intent) => {
      await tx
        .insertInto('upload')
        .values({ ...row, intent })
        .execute()
      await tellUpload(tx, vault, { ...row, intent })
    })
    log.schedule()
    const session = await this.#session(vault, await this.#row(upload))
    const turn = session.newTurn()
    return { ...this.#view(session.row), turn }
  }

  async list(request: { readonly path?: string | undefined; readonly actor?: string | undefined } = {}): Promise<readonly Upload[]> {
    this.#core.open()
    let query = this.#core.db.kysely.selectFrom('upload').selectAll().orderBy('created').limit(KEPT_MAX)
    if (request.path !== undefined) query = query.where('path', '=', request.path)
    if (request.actor !== undefined) query = query.where('actor', '=', request.actor)
    return (await query.execute()).map((row) => this.#view(row))
  }

  async get(id: string): Promise<Upload> {
    return this.#view(await this.#row(id))
  }

  /** Has what was stored read back, if it is parked. Answers at once; ask again while it is `checking`. */
  async wake(id: string): Promise<Upload> {
    const { vault } = this.#core.open()
    vault.parts.signer()
    // A check that runs is asked after, not waited for.
    if (this.#awake.get(id)?.state !== 'checking') await this.#busy.get(id)
    const row = await this.#row(id)
    if (row.state === 'done' || this.#awake.has(id) || this.#busy.has(id)) return this.#view(row)
    await this.#makeRoom()
    this.#problems.delete(id)
    if ((await this.#intent(vault, row)) === undefined) {
      this.#keepBusy(id, this.#beginAnew(vault, row))
      return this.#view(row)
    }
    const session = await this.#session(vault, row)
    const checking = session.check().then(
      async (goesOn) => {
        if (!goesOn) {
          this.#forget(session)
          await this.#beginAnew(vault, session.row)
        } else await this.#noteActive(session, true)
      },
      (error: unknown) => {
        this.#forget(session)
        this.#problems.set(id, error instanceof Failure ? error : new Failure('base.internal', { cause: error }))
        if (!(error instanceof Failure)) this.#core.options.log.warn({ causes: tracesOf(error) }, 'an upload could not be woken')
      },
    )
    this.#keepBusy(id, checking)
    return this.#view(row)
  }

  /** Takes the turn, for whoever has the same source. */
  async take(id: string, proof: { readonly offset: number; readonly sha256: string }): Promise<UploadTurn> {
    const session = await this.#awakened(id)
    const turn = session.take(proof)
    this.#watchIdle(session)
    return { ...this.#view(session.row), turn }
  }

  /** Whole chunks that came before the body broke off are kept. */
  async send(id: string, from: { readonly turn: string; readonly offset: number }, body: AsyncIterable<Uint8Array>): Promise<Upload> {
    const session = await this.#awakened(id)
    try {
      await this.#core.working(session.send(from, body))
    } finally {
      this.#watchIdle(session)
      await this.#noteActive(session, false)
    }
    return this.#view(session.row)
  }

  /** Asked again after it was done, it answers the same. */
  async finish(id: string, request: { readonly turn: string; readonly witness?: Witness | undefined }): Promise<Stored> {
    const row = await this.#row(id)
    if (row.state === 'done' && row.stored !== null) return JSON.parse(row.stored) as Stored
    const session = await this.#awakened(id)
    if (request.witness !== undefined) this.#witnesses.set(session, request.witness)
    return this.#core.working(session.finish(request.turn))
  }

  async owner(id: string): Promise<{ readonly actor: string; readonly path: string }> {
    const { actor, path } = await this.#row(id)
    return { actor, path }
  }

  /** Removes an unfinished upload and what it wrote. */
  async cancel(id: string): Promise<Upload> {
    const { vault } = this.#core.open()
    const row = await this.#row(id)
    const view = this.#view(row)
    await this.#park(id)
    const latest = await this.#row(id)
    await this.#remove(vault, latest)
    return view
  }

  /** Parks whatever is idle soon, since somebody waits for memory. */
  press(): void {
    this.#pressedUntilMs = this.#core.clock.now() + PRESSED_MS
    for (const session of this.#awake.values()) if (session.idle) this.#watchIdle(session)
  }

  /** Removes those that gave no sign of life for long. */
  async sweepExpired(): Promise<void> {
    const { vault } = this.#core.open()
    const now = this.#core.clock.now()
    const rows = await this.#core.db.kysely
      .selectFrom('upload')
      .selectAll()
      .where((eb) =>
        eb.or([
          eb.and([eb('state', '=', 'open'), eb('active', '<', rfc3339(now - UPLOAD_KEPT_MS))]),
          eb.and([eb('state', '=', 'done'), eb('active', '<', rfc3339(now - DONE_KEPT_MS))]),
        ]),
      )
      .execute()
    for (const row of rows) {
      if (this.#awake.has(row.upload) || this.#busy.has(row.upload)) continue
      await this.#remove(vault, row)
      if (row.state === 'open') this.#core.options.log.info({ upload: row.upload }, 'an unfinished upload was given up after its time')
    }
  }

  /** Parks everything. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#awake.keys()].map((id) => this.#park(id)))
    await Promise.allSettled(this.#busy.values())
  }

  async #makeRoom(): Promise<void> {
    if (this.#awake.size >= AWAKE_MAX) {
      const idle = [...this.#awake.values()].filter((session) => session.idle).toSorted((a, b) => a.idleSinceMs - b.idleSinceMs)
      if (idle[0] === undefined)
        throw new Failure('api.busy', { detail: `${AWAKE_MAX} uploads are under way`, next: 'Try again when one has ended.' })
      await this.#park(idle[0].row.upload)
    }
    const { count } = await this.#core.db.kysely
      .selectFrom('upload')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (count > KEPT_MAX)
      throw new Failure('api.busy', { detail: `${KEPT_MAX} unfinished uploads wait already`, next: 'Finish or remove some of them.' })
  }

  async #session(vault: Vault, row: UploadTable): Promise<UploadSession> {
    if (this.#closed) throw new Failure('base.cancelled')
    const intent = await this.#intent(vault, row)
    if (intent === undefined)
      throw new Failure('storage.upload-busy', { detail: 'the locations of the vault are changing', next: 'Wake the upload again.' })
    // Somebody else may have woken it meanwhile.
    const known = this.#awake.get(row.upload)
    if (known !== undefined) return known
    const session = new UploadSession({
      vault,
      row,
      intent,
      commit: (outcome) => this.#commit(vault, { row, intent, witness: this.#witnesses.get(session) }, outcome),
      ended: (one, failure) => this.#ended(vault, one, failure),
    })
    this.#awake.set(row.upload, session)
    this.#watchIdle(session)
    return session
  }

  async #commit(
    vault: Vault,
    { row, intent, witness }: { readonly row: UploadTable; readonly intent: UploadIntent; readonly witness: Witness | undefined },
    outcome: WriteOutcome,
  ): Promise<Stored> {
    const { spec, created } = intent
    const { path, file, type } = row
    const written = { ...spec, provisional: row.intent, type, created, purpose: 'file' as const, layout: layoutOf(spec.suite) }
    try {
      await vault.commitWritten(written, outcome, async (tx, { deal, fragments, modified }) => {
        const added = await addVersion(tx, {
          path,
          file,
          deal,
          fragments,
          created,
          modified,
          at: rfc3339(this.#core.clock.now()),
          ifAbsent: row.if_absent === 1,
        })
        await tx
          .updateTable('upload')
          .set({ state: 'done', active: rfc3339(this.#core.clock.now()) })
          .where('upload', '=', row.upload)
          .execute()
        await tellEnd(tx, row.upload)
        await witness?.(tx, { id: added.file, version: added.number, path })
      })
    } catch (error) {
      // The path was taken meanwhile: no later try will fare better.
      if (error instanceof Failure && (error.code === 'storage.exists' || error.code === 'storage.path')) await this.#remove(vault, row)
      throw error
    }
    const stored = await this.#answer({ path, outcome })
    await this.#core.db.kysely
      .updateTable('upload')
      .set({ stored: JSON.stringify(stored) })
      .where('upload', '=', row.upload)
      .execute()
    return stored
  }

  #ended(vault: Vault, session: UploadSession, failure: Failure | undefined): void {
    this.#forget(session)
    if (failure === undefined || failure.code === 'base.cancelled') return
    this.#problems.set(session.row.upload, failure)
    vault.parts.log.warn({ upload: session.row.upload, code: failure.code }, 'an upload was interrupted; it can go on')
  }

  /** New names and a new dealing: nothing of the old one can go on. */
  async #beginAnew(vault: Vault, row: UploadTable): Promise<void> {
    const { db, clock } = { ...vault.parts, clock: this.#core.clock }
    const created = rfc3339(clock.now())
    const { type, upload } = row
    await vault.begin({ object: newId(), purpose: 'file', type, created, chunkLog2: CHUNK_LOG2 }, async (tx, intent) => {
      await tx
        .updateTable('upload')
        .set({ intent, restarts: row.restarts + 1, active: created })
        .where('upload', '=', upload)
        .execute()
      await tellUpload(tx, vault, { ...row, intent, restarts: row.restarts + 1 })
    })
    await undoIntent(vault.parts, row.intent)
    const latest = await db.kysely.selectFrom('upload').selectAll().where('upload', '=', upload).executeTakeFirst()
    if (latest !== undefined) await this.#session(vault, latest)
  }

  async #remove(vault: Vault, row: UploadTable): Promise<void> {
    await this.#core.db.transaction(async (tx) => {
      await tx.deleteFrom('upload').where('upload', '=', row.upload).execute()
      await tellEnd(tx, row.upload)
    })
    this.#core.running?.log.schedule()
    this.#problems.delete(row.upload)
    if (row.state === 'open') await undoIntent(vault.parts, row.intent)
  }

  async #park(id: string): Promise<void> {
    const session = this.#awake.get(id)
    if (session !== undefined) {
      await session.park()
      this.#forget(session)
    }
    await this.#busy.get(id)
  }

  #forget(session: UploadSession): void {
    const { upload } = session.row
    if (this.#awake.get(upload) === session) this.#awake.delete(upload)
    this.#timers.get(upload)?.abort()
    this.#timers.delete(upload)
  }

  #keepBusy(id: string, work: Promise<unknown>): void {
    const kept = work
      .catch((error: unknown) => this.#core.options.log.warn({ causes: tracesOf(error) }, 'an upload could not be woken'))
      .finally(() => this.#busy.delete(id))
    this.#busy.set(id, kept)
  }

  #watchIdle(session: UploadSession): void {
    const { upload } = session.row
    const { clock } = this.#core
    this.#timers.get(upload)?.abort()
    if (this.#awake.get(upload) !== session) return
    const timer = new AbortController()
    this.#timers.set(upload, timer)
    clock.sleep(clock.now() < this.#pressedUntilMs ? IDLE_PRESSED_MS : IDLE_MS, timer.signal).then(
      () => {
        // Whoever takes it up again meanwhile sets another timer.
        if (session.idle && this.#awake.get(upload) === session)
          this.#keepBusy(
            upload,
            session.park().then(() => this.#forget(session)),
          )
      },
      () => undefined,
    )
  }

  async #awakened(id: string): Promise<UploadSession> {
    this.#core.open()
    const session = this.#awake.get(id)
    if (session !== undefined && !session.parked) return session
    const row = await this.#row(id)
    if (row.state === 'done')
      throw new Failure('storage.upload-absent', { detail: `${row.path} is stored already`, next: 'Ask for its outcome: finish it again.' })
    const problem = this.#problems.get(id)
    if (problem !== undefined && session === undefined) throw problem
    throw new Failure('storage.upload-busy', { detail: 'the upload is not ready', next: 'Wake it, and go on when it is ready.' })
  }

  async #row(id: string): Promise<UploadTable> {
    this.#core.open()
    const row = await this.#core.db.kysely.selectFrom('upload').selectAll().where('upload', '=', id).executeTakeFirst()
    if (row === undefined)
      throw new Failure('storage.upload-absent', {
        detail: 'there is no such unfinished upload; it may have been removed or have expired',
        next: 'Begin it again.',
      })
    return row
  }

  /** Undefined when a location that it names is no longer one of the vault's. */
  async #intent(vault: Vault, row: UploadTable): Promise<UploadIntent | undefined> {
    const { kysely } = this.#core.db
    const deal = await kysely.selectFrom('deal').selectAll().where('deal', '=', row.intent).executeTakeFirstOrThrow()
    const fragments = await kysely.selectFrom('fragment').selectAll().where('deal', '=', row.intent).orderBy('x').execute()
    const suite = deal.layout === 'shared' ? (1 as const) : (2 as const)
    const targets = fragments.flatMap(({ x, location, name }) => {
      const place = vault.parts.places.byId(location)
      return place === undefined || name === null ? [] : [{ place, x, name }]
    })
    if (targets.length < deal.n) return undefined
    return {
      created: deal.created,
      spec: { suite, k: deal.k, n: deal.n, chunkLog2: deal.chunk_log2, vault: vault.row.vault, object: deal.object, version: deal.version },
      targets,
    }
  }

  async #noteActive(session: UploadSession, always: boolean): Promise<void> {
    const now = this.#core.clock.now()
    const { upload } = session.row
    const row = await this.#core.db.kysely.selectFrom('upload').select('active').where('upload', '=', upload).executeTakeFirst()
    if (row === undefined || (!always && now - Date.parse(row.active) < ACTIVE_NOTED_MS)) return
    await this.#core.db.kysely
      .updateTable('upload')
      .set({ active: rfc3339(now) })
      .where('upload', '=', upload)
      .where('state', '=', 'open')
      .execute()
  }

  #view(row: UploadTable): Upload {
    const session = this.#awake.get(row.upload)
    const problem = this.#problems.get(row.upload)
    const done = row.state === 'done'
    const state = done ? ('done' as const) : (session?.state ?? (this.#busy.has(row.upload) ? ('checking' as const) : ('waiting' as const)))
    return {
      id: row.upload,
      path: row.path,
      size: row.size,
      modified: row.modified,
      type: row.type,
      state,
      offset: done ? row.size : session === undefined || state === 'checking' ? null : session.received,
      checkedBytes: session?.checkedBytes ?? 0,
      created: row.created,
      active: row.active,
      expires: rfc3339(Date.parse(row.active) + (done ? DONE_KEPT_MS : UPLOAD_KEPT_MS)),
      restarts: row.restarts,
      problem: problem === undefined || done ? null : toProblem(problem, row.upload),
    }
  }
}

function layoutOf(suite: 1 | 2): 'shared' | 'sealed' {
  return suite === 1 ? 'shared' : 'sealed'
}
