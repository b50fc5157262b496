// A location in memory, honest and without waits: for simulations and tests, and the model that other drivers are held against.
import { type Clock, Failure, assert, concat, systemClock } from '#base'
import type { LocationKind } from '#contract'
import { bounds } from './bounds.ts'
import type {
  Capabilities,
  FragmentName,
  FragmentSink,
  FragmentSource,
  ListPage,
  ListRequest,
  Location,
  LocationOptions,
  UnfinishedWrite,
} from './contract.ts'
import { absent, exists, locationFailure, stopIfCancelled, truncated } from './failures.ts'
import { checkName } from './names.ts'
import { probeLocation } from './probe.ts'

export interface MemoryOptions {
  readonly label: string
  readonly kind?: LocationKind
  readonly clock?: Clock
  /** More than this is `location.full`. Without it there is no bound. */
  readonly capacityBytes?: number
}

export interface MemoryLocation extends Location {
  /** What is kept, for tests to look at and to harm. */
  readonly objects: Map<FragmentName, Uint8Array>
}

/** A location that keeps everything in a map. */
export function createMemoryLocation(options: MemoryOptions): MemoryLocation {
  return new InMemory(options)
}

class InMemory implements MemoryLocation {
  readonly kind: LocationKind
  readonly label: string
  readonly objects = new Map<FragmentName, Uint8Array>()
  readonly #clock: Clock
  readonly #capacityBytes: number
  readonly #pending = new Set<MemorySink>()

  constructor(options: MemoryOptions) {
    this.kind = options.kind ?? 'folder'
    this.label = options.label
    this.#clock = options.clock ?? systemClock
    this.#capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY
  }

  async create(name: FragmentName, options: LocationOptions = {}): Promise<FragmentSink> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    if (this.objects.has(name)) throw exists(this.label)
    return this.#begin(name, new Uint8Array(0), options.signal)
  }

  #begin(name: FragmentName, written: Uint8Array, signal: AbortSignal | undefined): MemorySink {
    const sink: MemorySink = new MemorySink({
      label: this.label,
      name,
      written,
      beganAt: this.#clock.now(),
      signal,
      room: (more) => this.#usedBytes() + more <= this.#capacityBytes,
      publish: (bytes) => {
        this.#pending.delete(sink)
        if (this.objects.has(name)) throw exists(this.label)
        this.objects.set(name, bytes)
      },
      drop: () => this.#pending.delete(sink),
    })
    this.#pending.add(sink)
    return sink
  }

  async putIfAbsent(name: FragmentName, bytes: Uint8Array, options: LocationOptions = {}): Promise<'created' | 'exists'> {
    checkName(name, this.label)
    assert(bytes.length <= bounds.smallBytesMax, 'a small object')
    stopIfCancelled(options.signal)
    if (this.objects.has(name)) return 'exists'
    if (this.#usedBytes() + bytes.length > this.#capacityBytes) throw full(this.label)
    this.objects.set(name, bytes.slice())
    return 'created'
  }

  async open(name: FragmentName, options: LocationOptions & { readonly tailBytes?: number } = {}): Promise<FragmentSource> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    const bytes = this.objects.get(name)
    if (bytes === undefined) throw absent(this.label)
    const tailBytes = Math.min(bytes.length, options.tailBytes ?? bounds.tailBytesDefault)
    return {
      sizeBytes: bytes.length,
      tail: bytes.slice(bytes.length - tailBytes),
      read: async (offset, into, readOptions = {}) => {
        stopIfCancelled(readOptions.signal)
        const part = bytes.subarray(offset, offset + into.length)
        if (part.length < into.length) throw truncated(this.label, { wanted: into.length, got: part.length })
        into.set(part)
      },
      close: () => Promise.resolve(),
    }
  }

  async head(name: FragmentName, options: LocationOptions = {}): Promise<{ readonly sizeBytes: number } | undefined> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    const bytes = this.objects.get(name)
    return bytes === undefined ? undefined : { sizeBytes: bytes.length }
  }

  async list(request: ListRequest, options: LocationOptions = {}): Promise<ListPage> {
    stopIfCancelled(options.signal)
    const limit = Math.min(request.limit ?? bounds.listPageDefault, bounds.listPageMax)
    const after = request.after ?? ''
    const names = [...this.objects.keys()].filter((name) => name.startsWith(request.prefix) && name > after).sort()
    const entries = names.slice(0, limit).map((name) => ({ name, sizeBytes: this.objects.get(name)!.length }))
    return names.length > limit ? { entries, next: entries.at(-1)?.name } : { entries }
  }

  async discard(name: FragmentName, options: LocationOptions = {}): Promise<'gone' | 'kept'> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    this.objects.delete(name)
    return 'gone'
  }

  async adopt(name: FragmentName, options: LocationOptions = {}): Promise<UnfinishedWrite | undefined> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    const left = [...this.#pending].filter((sink) => sink.name === name).map((sink) => ({ sink, bytes: sink.bytes }))
    const whole = this.objects.get(name)
    const bytes = [...left.map((each) => each.bytes), ...(whole === undefined ? [] : [whole])].toSorted((a, b) => b.length - a.length)[0]
    if (bytes === undefined) return undefined
    // From now on it is in the hands of whoever adopted it; the former writer is gone.
    for (const { sink } of left) await sink.abort()
    this.objects.delete(name)
    const kept = this.#begin(name, bytes, undefined)
    return {
      sizeBytes: bytes.length,
      read: async (offset, into, readOptions = {}) => {
        stopIfCancelled(readOptions.signal)
        const part = bytes.subarray(offset, offset + into.length)
        if (part.length < into.length) throw truncated(this.label, { wanted: into.length, got: part.length })
        into.set(part)
      },
      resume: async (sizeBytes, resumeOptions = {}) => {
        assert(sizeBytes <= bytes.length, 'resume within what is there')
        stopIfCancelled(resumeOptions.signal)
        await kept.abort()
        return this.#begin(name, bytes.slice(0, sizeBytes), resumeOptions.signal)
      },
      close: () => Promise.resolve(),
    }
  }

  async forget(name: FragmentName, options: LocationOptions = {}): Promise<void> {
    checkName(name, this.label)
    stopIfCancelled(options.signal)
    for (const sink of [...this.#pending].filter((each) => each.name === name)) await sink.abort()
  }

  async sweepPartial(request: { readonly olderThanMs: number }, options: LocationOptions = {}): Promise<number> {
    stopIfCancelled(options.signal)
    const before = this.#clock.now() - request.olderThanMs
    const old = [...this.#pending].filter((sink) => sink.beganAt <= before)
    for (const sink of old) await sink.abort()
    return old.length
  }

  probe(options: LocationOptions = {}): Promise<Capabilities> {
    return probeLocation(
      this,
      {
        createRaw: async (name, bytes) => ((await this.putIfAbsent(name, bytes, options)) === 'created' ? 'created' : 'refused'),
        abortedWriteLeavesNothing: async (name) => {
          const sink = await this.create(name, options)
          await sink.write(new Uint8Array(10))
          await sink.abort()
          return !this.objects.has(name)
        },
        objectLock: () => Promise.resolve('not asked'),
      },
      { clock: this.#clock, signal: options.signal },
    )
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #usedBytes(): number {
    let used = 0
    for (const bytes of this.objects.values()) used += bytes.length
    for (const sink of this.#pending) used += sink.acceptedBytes
    return used
  }
}

interface MemorySinkParts {
  readonly label: string
  readonly name: FragmentName
  /** What stands there already. */
  readonly written: Uint8Array
  readonly beganAt: number
  readonly signal: AbortSignal | undefined
  room(moreBytes: number): boolean
  publish(bytes: Uint8Array): void
  drop(): void
}

class MemorySink implements FragmentSink {
  readonly beganAt: number
  readonly #parts: MemorySinkParts
  #written: Uint8Array[] = []
  #accepted = 0
  #done = false

  constructor(parts: MemorySinkParts) {
    this.#parts = parts
    this.beganAt = parts.beganAt
    this.#written = [parts.written]
    this.#accepted = parts.written.length
  }

  get name(): FragmentName {
    return this.#parts.name
  }

  get bytes(): Uint8Array {
    return concat(...this.#written)
  }

  get acceptedBytes(): number {
    return this.#accepted
  }

  async write(bytes: Uint8Array): Promise<void> {
    assert(!this.#done, 'the sink is open')
    stopIfCancelled(this.#parts.signal)
    if (!this.#parts.room(bytes.length)) throw full(this.#parts.label)
    this.#written.push(bytes.slice())
    this.#accepted += bytes.length
  }

  async finish(): Promise<void> {
    assert(!this.#done, 'the sink is open')
    this.#done = true
    try {
      stopIfCancelled(this.#parts.signal)
      this.#parts.publish(concat(...this.#written))
    } finally {
      await this.abort()
    }
  }

  async suspend(): Promise<void> {
    this.#done = true
  }

  async abort(): Promise<void> {
    this.#done = true
    this.#written = []
    this.#parts.drop()
  }
}

function full(label: string): Failure {
  return locationFailure('location.full', { label, detail: `${label} has no space left.`, next: 'Free space, or add another location.' })
}
