// What other programs do with a vault, the same whether it is in their own process or at a site: a dozen calls over the client of the contract.
import { Failure } from '#base'
import { failureOf, type Client, type Entry, type Status, type Stored, type Task, type Versions } from '#contract'

/** Bytes to be stored: at once, or as they come. Streams of Node and of the web are such. */
export type Body = Uint8Array | string | AsyncIterable<Uint8Array>

export interface Cancellable {
  /** Ends the work; the call fails with `base.cancelled`. */
  readonly signal?: AbortSignal | undefined
}

export interface StoreOptions extends Cancellable {
  /** Bytes that will come. When others come, nothing is stored (`storage.size-differs`). */
  readonly size?: number | undefined
  /** Media type; else it is guessed from the name. */
  readonly type?: string | undefined
  /** When the content was last changed; now, if absent. */
  readonly modified?: Date | undefined
  /** Refuse (`storage.exists`) rather than add a version to a file that is there. */
  readonly ifAbsent?: boolean | undefined
}

export interface ReadOptions extends Cancellable {
  /** Number of an older version. */
  readonly version?: number | undefined
  /** First byte wanted; 0 if absent. */
  readonly first?: number | undefined
  /** Last byte wanted, inclusive; the last one of the file if absent. */
  readonly last?: number | undefined
}

/** Bytes of a file, in order and once. A piece belongs to whoever got it. Leaving the loop early gives everything back. */
export interface Reading extends AsyncIterable<Uint8Array> {
  /** Bytes that this reading gives. */
  readonly size: number
  /** Bytes of the whole file. */
  readonly whole: number
  readonly type: string
  readonly modified: Date
  /** All of it in memory. */
  bytes(): Promise<Uint8Array>
}

/** What a check or a repair found and did. `findings` name location, file and what is wrong. */
export type Report = NonNullable<Task['report']>

/** Files in a vault. Paths are absolute, `/contracts/2026/lease.pdf`; folders come by themselves. Everything that fails is a `Failure`. */
export interface Files {
  /**
   * Stores a new version of a file, and resolves when enough locations hold it durably; until then nobody sees any of it.
   * `laggards` of the answer names locations that repair will fill later.
   */
  store(path: string, body: Body, options?: StoreOptions): Promise<Stored>
  /**
   * Opens a file for reading, or a range of it. Locations that lie or are away are passed over; bytes that cannot be proven right are never
   * given: the loop throws instead.
   */
  read(path: string, options?: ReadOptions): Promise<Reading>
  /** Files and folders below a folder, in the order of their names; `deep` also what is below those. */
  list(path: string, options?: Cancellable & { readonly deep?: boolean | undefined }): AsyncIterable<Entry>
  /** One file or folder; `storage.absent` when there is none. */
  stat(path: string, options?: Cancellable): Promise<Entry>
  /** All versions of a file, the newest first. */
  versions(path: string, options?: Cancellable): Promise<Versions['versions']>
  /** Renames or moves a file or folder. A name that is taken is refused unless `replace` is true. */
  move(from: string, to: string, options?: Cancellable & { readonly replace?: boolean | undefined }): Promise<Entry>
  /** Puts a file, or with `deep` a folder and what is in it, into the trash; `now` deletes it at every location instead. */
  remove(
    path: string,
    options?: Cancellable & { readonly deep?: boolean | undefined; readonly now?: boolean | undefined },
  ): Promise<{ readonly removed: number }>
  /** How the vault and each of its locations are. `check` asks every location now. */
  status(options?: Cancellable & { readonly check?: boolean | undefined }): Promise<Status>
  /**
   * Judges what lies at the locations and changes nothing. `present`: names and sizes; `tags`, if absent: every record of every fragment by
   * its own tag; `full`: every file from end to end, as it is read.
   */
  scrub(options?: Cancellable & { readonly depth?: 'present' | 'tags' | 'full' | undefined }): Promise<Report>
  /** Writes again what is lost or damaged, of one file or of all. */
  repair(options?: Cancellable & { readonly path?: string | undefined }): Promise<Report>
}

const PAGE = 1000
const POLL_MS = 100
const POLL_MS_MAX = 2000
const WHOLE_BYTES_MAX = 2 ** 31

export function filesOver(client: Client): Files {
  return {
    store: async (path, body, { size, type, modified, ifAbsent, signal } = {}) => {
      const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
      const known = bytes instanceof Uint8Array ? bytes.length : size
      if (size !== undefined && known !== size) {
        throw new Failure('storage.size-differs', { detail: `${size} bytes were announced, ${known} are there.` })
      }
      const sent = size === undefined || bytes instanceof Uint8Array ? bytes : announced(bytes, size)
      return client.upload({ path, body: sent, size: known, type, modified: modified?.toISOString(), ifAbsent }, { signal })
    },
    read: async (path, { version, first, last, signal } = {}) => {
      const range = first === undefined && last === undefined ? undefined : { first: first ?? 0, last }
      const { size, whole, type, modified, body } = await client.download({ path, version, range }, { signal })
      return readingOf({ size, whole, type, modified: new Date(modified) }, body)
    },
    async *list(path, { deep = false, signal } = {}) {
      let after: string | undefined
      do {
        const page = await client.list({ path, recursive: deep, limit: PAGE, ...(after === undefined ? {} : { after }) }, { signal })
        yield* page.entries
        after = page.next ?? undefined
      } while (after !== undefined)
    },
    stat: (path, options) => client.stat({ path }, options),
    versions: async (path, options) => (await client.versions({ path }, options)).versions,
    move: (from, to, { replace = false, signal } = {}) => client.move({ from, to, replace }, { signal }),
    remove: async (path, { deep = false, now = false, signal } = {}) => {
      const { removed } = await client.remove({ path, recursive: deep, ...(now ? { now } : {}) }, { signal })
      return { removed }
    },
    status: ({ check = false, signal } = {}) => client.status({ check }, { signal }),
    scrub: async ({ depth = 'tags', signal } = {}) => ended(client, await client.scrub({ depth }, { signal }), signal),
    repair: async ({ path, signal } = {}) => ended(client, await client.repair(path === undefined ? {} : { path }, { signal }), signal),
  }
}

/** A stream that is as long as was said, or fails: the other side would wait for what does not come. */
async function* announced(body: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let length = 0
  for await (const part of body) {
    length += part.length
    if (length > size) throw new Failure('storage.size-differs', { detail: `${size} bytes were announced, and more came.` })
    yield part
  }
  if (length < size) throw new Failure('storage.size-differs', { detail: `${size} bytes were announced, ${length} came.` })
}

function readingOf(about: Pick<Reading, 'size' | 'whole' | 'type' | 'modified'>, body: AsyncIterable<Uint8Array>): Reading {
  let taken = false
  const once = async function* (): AsyncGenerator<Uint8Array> {
    if (taken) throw new Failure('base.invalid', { detail: 'These bytes were read already.', next: 'Open the file again.' })
    taken = true
    // Pieces of the vault's own memory are used again; ours are the reader's for good.
    for await (const part of body) yield Uint8Array.from(part)
  }
  return {
    ...about,
    [Symbol.asyncIterator]: once,
    async bytes() {
      if (about.size > WHOLE_BYTES_MAX) {
        throw new Failure('base.invalid', {
          detail: `${about.size} bytes are too many to be held at once.`,
          next: 'Read piece by piece, or ranges.',
        })
      }
      const all = new Uint8Array(about.size)
      let length = 0
      for await (const part of once()) {
        all.set(part, length)
        length += part.length
      }
      return all
    },
  }
}

/** Waits for long work. Cancelled with the signal; what is done stays done. */
async function ended(client: Client, begun: Task, signal: AbortSignal | undefined): Promise<Report> {
  let task = begun
  for (let pollMs = POLL_MS; task.state === 'running'; pollMs = Math.min(POLL_MS_MAX, pollMs * 1.3)) {
    if (!(await slept(pollMs, signal))) {
      await client.cancelTask(task.id).catch(() => undefined)
      throw new Failure('base.cancelled')
    }
    task = await client.task(task.id)
  }
  if (task.state === 'cancelled') throw new Failure('base.cancelled')
  if (task.problem !== null) throw failureOf(task.problem)
  if (task.report === null) throw new Failure('base.internal', { detail: 'The work ended without a report.' })
  return task.report
}

function slept(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve(false)
    const cancel = (): void => {
      clearTimeout(timer)
      resolve(false)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', cancel)
      resolve(true)
    }, ms)
    signal?.addEventListener('abort', cancel, { once: true })
  })
}
