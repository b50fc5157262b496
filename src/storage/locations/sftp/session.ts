// One SFTP session: requests with their answers, several on their way at once, with watch kept over progress. Knows nothing of SSH.
import { type Clock, Failure } from '#base'
import { sftpBounds } from '../bounds.ts'
import { AnswerReader, GarbledError } from './answers.ts'
import { readU64 } from './fields.ts'
import { LinkError, StatusError } from './link-error.ts'
import {
  type Answer,
  type Attributes,
  type NamedEntry,
  PERMISSIONS,
  REQUEST,
  SIZE,
  STATUS,
  decodeExtensions,
  encodeRequest,
} from './packets.ts'

/** A stream of bytes both ways. */
export interface Wire {
  send(bytes: Uint8Array): void
  /** Bytes that have left for or come from the network, whatever they were. */
  moved(): number
  close(): void
}

export interface SessionOptions {
  readonly clock: Clock
  readonly stallMs: number
}

/** Where a block's bytes lie, with room for the head of a write in front. */
export interface Block {
  readonly memory: Buffer
  /** Bytes filled, from `BLOCK_HEAD_BYTES` on. */
  length: number
}

export const BLOCK_HEAD_BYTES = 25 + sftpBounds.handleBytesMax

/** A name for an open file at the server, good for this session alone. */
export interface Handle {
  readonly session: SftpSession
  readonly bytes: Uint8Array
}

interface Pending {
  readonly into: Uint8Array | undefined
  readonly beganAt: number
  resolve(answer: Answer): void
  reject(error: unknown): void
  /** The caller has gone; an answer that opens something closes it again. */
  abandoned: boolean
}

interface RequestOptions {
  readonly signal?: AbortSignal | undefined
  readonly into?: Uint8Array
}

export class SftpSession {
  readonly #wire: Wire
  readonly #options: SessionOptions
  readonly #reader: AnswerReader
  readonly #pending = new Map<number, Pending>()
  #nextId = 0
  #watch = new AbortController()
  #watching = false
  #error: LinkError | undefined
  #extensions: ReadonlyMap<string, string> = new Map()
  #greeting: { resolve(): void; reject(error: LinkError): void } | undefined
  blockBytes: number = sftpBounds.blockBytesDefault

  constructor(wire: Wire, options: SessionOptions) {
    this.#wire = wire
    this.#options = options
    this.#reader = new AnswerReader({
      lengthFor: (id) => this.#pending.get(id)?.into?.length,
      viewFor: (id) => {
        const pending = this.#pending.get(id)
        return pending === undefined || pending.abandoned ? undefined : pending.into
      },
      answered: (id, answer) => this.#answered(id, answer),
      version: (_version, body) => this.#greeted(body),
    })
  }

  get alive(): boolean {
    return this.#error === undefined
  }

  has(extension: string): boolean {
    return this.#extensions.has(extension)
  }

  /** Says hello and learns what the server takes. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const greeted = new Promise<void>((resolve, reject) => {
      this.#greeting = { resolve, reject }
    })
    greeted.catch(() => undefined)
    this.#keepWatch()
    const stop = (): void => this.fail(new LinkError('lost'))
    signal?.addEventListener('abort', stop, { once: true })
    try {
      // Version 3.
      this.#wire.send(Uint8Array.of(0, 0, 0, 5, REQUEST.init, 0, 0, 0, 3))
      await greeted
      if (this.has('limits@openssh.com')) await this.#learnLimits(signal)
    } finally {
      signal?.removeEventListener('abort', stop)
      if (this.#pending.size === 0) this.#watch.abort()
    }
  }

  /** What came from the server. */
  receive(chunk: Uint8Array): void {
    if (this.#error !== undefined) return
    try {
      this.#reader.push(chunk)
    } catch (error) {
      if (!(error instanceof GarbledError)) throw error
      this.fail(new LinkError('garbled', error.message))
    }
  }

  /** Ends the session; every request under way fails with the error. */
  fail(error: LinkError): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#watch.abort()
    this.#greeting?.reject(error)
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const each of pending) each.reject(error)
    this.#wire.close()
  }

  /** Opens a file; `StatusError` when the server refuses. */
  async open(
    path: string,
    flags: number,
    options: { readonly mode?: number; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Handle> {
    const attributes = options.mode === undefined ? [0] : [PERMISSIONS, options.mode]
    return this.#handleOf(await this.#request(REQUEST.open, [path, flags, ...attributes], options))
  }

  async openFolder(path: string, signal: AbortSignal | undefined): Promise<Handle> {
    return this.#handleOf(await this.#request(REQUEST.opendir, [path], { signal }))
  }

  /** Names of the folder, a page at a time; undefined at the end. */
  async readFolder(handle: Handle, signal: AbortSignal | undefined): Promise<readonly NamedEntry[] | undefined> {
    const answer = await this.#request(REQUEST.readdir, [handle.bytes], { signal })
    if (answer.kind === 'names') return answer.entries
    if (answer.kind === 'status' && answer.status === STATUS.eof) return undefined
    throw this.#unexpected(answer)
  }

  /** Closes without waiting: nothing depends on the answer. */
  close(handle: Handle): void {
    if (!this.alive) return
    this.#request(REQUEST.close, [handle.bytes], {}).catch(() => undefined)
  }

  /** Reads at most a block; 0 is the end of the file. */
  async read(handle: Handle, offset: number, into: Uint8Array, signal: AbortSignal | undefined): Promise<number> {
    const answer = await this.#request(REQUEST.read, [handle.bytes, BigInt(offset), into.length], { signal, into })
    if (answer.kind === 'data') return answer.length
    if (answer.kind === 'status' && answer.status === STATUS.eof) return 0
    throw this.#unexpected(answer)
  }

  /** Writes a block. Its memory must not change before this settles. */
  async writeBlock(handle: Handle, offset: number, block: Block): Promise<void> {
    const id = this.#takeId()
    const headBytes = 25 + handle.bytes.length
    const from = BLOCK_HEAD_BYTES - headBytes
    const { memory } = block
    let at = memory.writeUInt32BE(headBytes - 4 + block.length, from)
    memory[at] = REQUEST.write
    at = memory.writeUInt32BE(id, at + 1)
    at = memory.writeUInt32BE(handle.bytes.length, at)
    memory.set(handle.bytes, at)
    at = memory.writeBigUInt64BE(BigInt(offset), at + handle.bytes.length)
    memory.writeUInt32BE(block.length, at)
    this.#expectOk(await this.#send(id, memory.subarray(from, BLOCK_HEAD_BYTES + block.length), {}))
  }

  /** Undefined when there is nothing of this name. Links are not followed. */
  async lookAt(path: string, signal: AbortSignal | undefined): Promise<Attributes | undefined> {
    const answer = await this.#request(REQUEST.lstat, [path], { signal })
    if (answer.kind === 'attributes') return answer.attributes
    if (answer.kind === 'status' && answer.status === STATUS.noSuchFile) return undefined
    throw this.#unexpected(answer)
  }

  async lookAtOpen(handle: Handle, signal: AbortSignal | undefined): Promise<Attributes> {
    const answer = await this.#request(REQUEST.fstat, [handle.bytes], { signal })
    if (answer.kind === 'attributes') return answer.attributes
    throw this.#unexpected(answer)
  }

  /** Drops all but the first bytes. */
  async truncate(handle: Handle, sizeBytes: number, signal: AbortSignal | undefined): Promise<void> {
    this.#expectOk(await this.#request(REQUEST.fsetstat, [handle.bytes, SIZE, BigInt(sizeBytes)], { signal }))
  }

  async remove(path: string, signal: AbortSignal | undefined): Promise<void> {
    this.#expectOk(await this.#request(REQUEST.remove, [path], { signal }))
  }

  async makeFolder(path: string, signal: AbortSignal | undefined): Promise<void> {
    this.#expectOk(await this.#request(REQUEST.mkdir, [path, PERMISSIONS, 0o750], { signal }))
  }

  /** Version 3 says that a name which exists is not replaced; not every server keeps to it. */
  async rename(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
    this.#expectOk(await this.#request(REQUEST.rename, [from, to], { signal }))
  }

  async link(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
    this.#expectOk(await this.#request(REQUEST.extended, ['hardlink@openssh.com', from, to], { signal }))
  }

  /** Nothing where the server cannot. */
  async sync(handle: Handle, signal: AbortSignal | undefined): Promise<void> {
    if (!this.has('fsync@openssh.com')) return
    this.#expectOk(await this.#request(REQUEST.extended, ['fsync@openssh.com', handle.bytes], { signal }))
  }

  /** Bytes free for this user; undefined where the server does not say. */
  async freeBytes(path: string, signal: AbortSignal | undefined): Promise<number | undefined> {
    if (!this.has('statvfs@openssh.com')) return undefined
    const answer = await this.#request(REQUEST.extended, ['statvfs@openssh.com', path], { signal })
    if (answer.kind !== 'extended') return undefined
    const [unit, free] = [readU64(answer.body, 8), readU64(answer.body, 32)]
    return unit === undefined || free === undefined ? undefined : unit * free
  }

  async #learnLimits(signal: AbortSignal | undefined): Promise<void> {
    const answer = await this.#request(REQUEST.extended, ['limits@openssh.com'], { signal })
    if (answer.kind !== 'extended') return
    const [reads, writes] = [readU64(answer.body, 8) ?? 0, readU64(answer.body, 16) ?? 0]
    // 0 says that the server does not know.
    const least = Math.min(reads === 0 ? this.blockBytes : reads, writes === 0 ? this.blockBytes : writes)
    this.blockBytes = Math.max(4096, Math.min(least, sftpBounds.blockBytesMax))
  }

  #request(type: number, fields: readonly (number | bigint | string | Uint8Array)[], options: RequestOptions): Promise<Answer> {
    const id = this.#takeId()
    return this.#send(id, encodeRequest(type, id, fields), options)
  }

  #takeId(): number {
    this.#nextId = (this.#nextId + 1) >>> 0
    return this.#nextId
  }

  #send(id: number, packet: Uint8Array, { signal, into }: RequestOptions): Promise<Answer> {
    if (signal?.aborted) return Promise.reject(new Failure('base.cancelled'))
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#pending.size >= sftpBounds.requestsMax) return Promise.reject(new LinkError('stalled', 'too many requests'))
    return new Promise((resolve, reject) => {
      const settled = (): void => signal?.removeEventListener('abort', cancel)
      const pending: Pending = {
        into,
        beganAt: this.#options.clock.now(),
        abandoned: false,
        resolve: (answer) => {
          settled()
          resolve(answer)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      }
      const cancel = (): void => {
        pending.abandoned = true
        reject(new Failure('base.cancelled'))
      }
      signal?.addEventListener('abort', cancel, { once: true })
      this.#pending.set(id, pending)
      this.#keepWatch()
      this.#wire.send(packet)
    })
  }

  #answered(id: number, answer: Answer): void {
    const pending = this.#pending.get(id)
    // An answer to nothing, or twice to the same.
    if (pending === undefined) return this.fail(new LinkError('garbled', 'unasked'))
    if (answer.kind === 'data' && pending.into === undefined) return this.fail(new LinkError('garbled', 'data'))
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#watch.abort()
    if (pending.abandoned && answer.kind === 'handle') this.close({ session: this, bytes: answer.handle })
    pending.resolve(answer)
  }

  #greeted(body: Uint8Array): void {
    const extensions = decodeExtensions(body, sftpBounds.extensionsMax)
    if (extensions === undefined) return this.fail(new LinkError('garbled', 'extensions'))
    this.#extensions = extensions
    this.#greeting?.resolve()
  }

  #handleOf(answer: Answer): Handle {
    if (answer.kind !== 'handle') throw this.#unexpected(answer)
    if (answer.handle.length > sftpBounds.handleBytesMax) throw this.#garbled()
    return { session: this, bytes: answer.handle }
  }

  #expectOk(answer: Answer): void {
    if (answer.kind !== 'status' || answer.status !== STATUS.ok) throw this.#unexpected(answer)
  }

  /** A refusal, or an answer that does not belong to its question. */
  #unexpected(answer: Answer): Error {
    return answer.kind === 'status' && answer.status !== STATUS.ok ? new StatusError(answer.status) : this.#garbled()
  }

  #garbled(): LinkError {
    this.fail(new LinkError('garbled', 'answer'))
    return this.#error!
  }

  /** From the first request on the way until there is none. */
  #keepWatch(): void {
    if (this.#watching) return
    this.#watching = true
    this.#watch = new AbortController()
    void this.#watchProgress(this.#watch.signal).finally(() => {
      this.#watching = false
      if (this.#pending.size > 0 && this.alive) this.#keepWatch()
    })
  }

  async #watchProgress(signal: AbortSignal): Promise<void> {
    const { clock, stallMs } = this.#options
    try {
      for (;;) {
        const before = this.#wire.moved()
        await clock.sleep(stallMs, signal)
        const oldest = this.#pending.values().next().value
        const tooOld = oldest !== undefined && clock.now() - oldest.beganAt > sftpBounds.controlMs
        if (this.#wire.moved() - before < sftpBounds.dripBytesMin || tooOld) return this.fail(new LinkError('stalled'))
      }
    } catch {
      // Nothing is waited for any more.
    }
  }
}
