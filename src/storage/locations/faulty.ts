// A location that misbehaves as planned: for tests and simulations of everything that must survive it.
import { type Clock, Failure, type FailureCode, systemClock } from '#base'
import type { LocationKind } from '#contract'
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
import { absent, exists, locationFailure, truncated } from './failures.ts'

export type FaultyOperation =
  | 'create'
  | 'write'
  | 'finish'
  | 'putIfAbsent'
  | 'open'
  | 'read'
  | 'head'
  | 'list'
  | 'discard'
  | 'adopt'
  | 'forget'
  | 'sweepPartial'
  | 'probe'

export interface FaultyCall {
  readonly operation: FaultyOperation
  /** Absent for list, sweepPartial and probe. */
  readonly name: FragmentName | undefined
  /** 0, 1, ... over all calls of this location. */
  readonly index: number
  /** 0, 1, ... over the calls of this operation. */
  readonly nth: number
}

export type Fault =
  /** Answers later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Never answers, unless cancelled. */
  | { readonly kind: 'hang' }
  /** Refuses, before or after having done it. */
  | { readonly kind: 'fail'; readonly when: 'before' | 'after'; readonly code: FailureCode }
  | { readonly kind: 'full' }
  /** Reads show the byte at `offset` of the object changed by XOR. */
  | { readonly kind: 'corrupt'; readonly offset: number; readonly xor: number }
  /** The object seems to end after so many bytes. Of `read`: fewer bytes come than there are. */
  | { readonly kind: 'truncate'; readonly sizeBytes: number }
  /** The list does not show the last so many names written through this wrapper. */
  | { readonly kind: 'stale'; readonly names: number }
  /** Denies what it has, claims what it has not, or acknowledges what it does not keep. */
  | { readonly kind: 'lie'; readonly says: 'absent' | 'exists' | 'done' }
  /** Answers from the last `snapshot`. */
  | { readonly kind: 'old' }
  /** From now on nothing reaches it, until `appear`. */
  | { readonly kind: 'disappear' }

/** Decides what goes wrong with a call; undefined lets it through. */
export type FaultPlan = (call: FaultyCall) => Fault | undefined

export interface FaultyLocation extends Location {
  /** Remembers everything that is kept now, in memory, for `old`. */
  snapshot(): Promise<void>
  appear(): void
  /** Every call so far, with what went wrong. */
  readonly calls: readonly (FaultyCall & { readonly fault: Fault | undefined })[]
}

/** The location, seen through the faults of the plan. `abort` and `close` always pass. */
export function wrapFaulty(location: Location, plan: FaultPlan, options: { readonly clock?: Clock } = {}): FaultyLocation {
  return new Faulty(location, plan, options.clock ?? systemClock)
}

export interface SeededRates {
  readonly seed: number
  /** Chance, 0..1, that a call meets one of the faults. */
  readonly rate: number
  readonly faults: readonly Fault[]
}

/** A plan that is the same for the same seed and order of calls. */
export function seededPlan({ seed, rate, faults }: SeededRates): FaultPlan {
  let state = seed >>> 0 || 1
  const random = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
  return () => (random() < rate && faults.length > 0 ? faults[Math.floor(random() * faults.length)] : undefined)
}

/** A plan from a list: the fault for the nth call of an operation. */
export function explicitPlan(
  faults: readonly { readonly operation: FaultyOperation; readonly nth?: number; readonly fault: Fault }[],
): FaultPlan {
  return (call) => faults.find(({ operation, nth }) => operation === call.operation && (nth === undefined || nth === call.nth))?.fault
}

class Faulty implements FaultyLocation {
  readonly kind: LocationKind
  readonly label: string
  readonly calls: (FaultyCall & { readonly fault: Fault | undefined })[] = []
  /** As far as the location behind can. */
  readonly adopt?: NonNullable<Location['adopt']>
  readonly forget?: NonNullable<Location['forget']>
  readonly #inner: Location
  readonly #plan: FaultPlan
  readonly #clock: Clock
  readonly #counts = new Map<FaultyOperation, number>()
  readonly #written: FragmentName[] = []
  #snapshot = new Map<FragmentName, Uint8Array>()
  #disappeared = false

  constructor(inner: Location, plan: FaultPlan, clock: Clock) {
    this.#inner = inner
    this.#plan = plan
    this.#clock = clock
    this.kind = inner.kind
    this.label = inner.label
    if (inner.adopt !== undefined) {
      this.adopt = (name, options = {}) =>
        this.#meet('adopt', name, options.signal, async (fault) => {
          if (says(fault, 'absent')) return undefined
          const left = await inner.adopt?.(name, options)
          return left === undefined ? undefined : this.#unfinished(left, name)
        })
    }
    if (inner.forget !== undefined) {
      this.forget = (name, options = {}) => this.#meet('forget', name, options.signal, async () => inner.forget?.(name, options))
    }
  }

  async snapshot(): Promise<void> {
    const names: string[] = []
    for (let after: string | undefined; ;) {
      const page = await this.#inner.list({ prefix: '', after })
      names.push(...page.entries.map((entry) => entry.name))
      if (page.next === undefined) break
      after = page.next
    }
    this.#snapshot = new Map()
    for (const name of names) {
      const source = await this.#inner.open(name, { tailBytes: 0 })
      const bytes = new Uint8Array(source.sizeBytes)
      await source.read(0, bytes)
      await source.close()
      this.#snapshot.set(name, bytes)
    }
  }

  appear(): void {
    this.#disappeared = false
  }

  async create(name: FragmentName, options: LocationOptions = {}): Promise<FragmentSink> {
    return this.#meet('create', name, options.signal, async (fault) => {
      if (says(fault, 'exists')) throw exists(this.label)
      return this.#sink(await this.#inner.create(name, options), name, options.signal)
    })
  }

  async putIfAbsent(name: FragmentName, bytes: Uint8Array, options: LocationOptions = {}): Promise<'created' | 'exists'> {
    return this.#meet('putIfAbsent', name, options.signal, async (fault) => {
      if (says(fault, 'exists')) return 'exists'
      if (says(fault, 'done')) return 'created'
      const answer = await this.#inner.putIfAbsent(name, bytes, options)
      if (answer === 'created') this.#written.push(name)
      return answer
    })
  }

  async open(name: FragmentName, options: LocationOptions & { readonly tailBytes?: number } = {}): Promise<FragmentSource> {
    return this.#meet('open', name, options.signal, async (fault) => {
      if (says(fault, 'absent')) throw absent(this.label)
      if (fault?.kind === 'old') return this.#source(this.#oldSource(name, options.tailBytes ?? 65_536), name, undefined)
      return this.#source(await this.#inner.open(name, options), name, fault)
    })
  }

  async head(name: FragmentName, options: LocationOptions = {}): Promise<{ readonly sizeBytes: number } | undefined> {
    return this.#meet('head', name, options.signal, async (fault) => {
      if (says(fault, 'absent')) return undefined
      if (says(fault, 'exists')) return { sizeBytes: 1 }
      if (fault?.kind === 'old') {
        const bytes = this.#snapshot.get(name)
        return bytes === undefined ? undefined : { sizeBytes: bytes.length }
      }
      const found = await this.#inner.head(name, options)
      return found !== undefined && fault?.kind === 'truncate' ? { sizeBytes: Math.min(found.sizeBytes, fault.sizeBytes) } : found
    })
  }

  async list(request: ListRequest, options: LocationOptions = {}): Promise<ListPage> {
    return this.#meet('list', undefined, options.signal, async (fault) => {
      if (says(fault, 'absent')) return { entries: [] }
      if (fault?.kind === 'old') {
        const names = [...this.#snapshot.keys()].filter((name) => name.startsWith(request.prefix) && name > (request.after ?? '')).sort()
        return { entries: names.map((name) => ({ name, sizeBytes: this.#snapshot.get(name)?.length ?? 0 })) }
      }
      const page = await this.#inner.list(request, options)
      if (fault?.kind !== 'stale') return page
      const hidden = new Set(this.#written.slice(-fault.names))
      return { ...page, entries: page.entries.filter((entry) => !hidden.has(entry.name)) }
    })
  }

  async discard(name: FragmentName, options: LocationOptions = {}): Promise<'gone' | 'kept'> {
    return this.#meet('discard', name, options.signal, async (fault) => {
      if (says(fault, 'done') || says(fault, 'absent')) return 'gone'
      if (says(fault, 'exists')) return 'kept'
      return this.#inner.discard(name, options)
    })
  }

  async sweepPartial(request: { readonly olderThanMs: number }, options: LocationOptions = {}): Promise<number> {
    return this.#meet('sweepPartial', undefined, options.signal, () => this.#inner.sweepPartial(request, options))
  }

  async probe(options: LocationOptions = {}): Promise<Capabilities> {
    return this.#meet('probe', undefined, options.signal, () => this.#inner.probe(options))
  }

  renew(): void {
    this.#inner.renew?.()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  /** Asks the plan, and does what the fault says around the work; faults about content are left to the work. */
  async #meet<T>(
    operation: FaultyOperation,
    name: FragmentName | undefined,
    signal: AbortSignal | undefined,
    work: (fault: Fault | undefined) => Promise<T>,
  ): Promise<T> {
    const nth = this.#counts.get(operation) ?? 0
    this.#counts.set(operation, nth + 1)
    const call = { operation, name, index: this.calls.length, nth }
    const fault = this.#plan(call)
    this.calls.push({ ...call, fault })
    if (fault?.kind === 'disappear') this.#disappeared = true
    if (this.#disappeared) throw this.#refuse('location.unreachable')
    switch (fault?.kind) {
      case 'delay':
        await this.#clock.sleep(fault.ms, signal)
        return work(fault)
      case 'hang':
        return never(signal)
      case 'disappear':
        throw this.#refuse('location.unreachable')
      case 'full':
        throw this.#refuse('location.full')
      case 'fail': {
        if (fault.when === 'after') await work(fault)
        throw this.#refuse(fault.code)
      }
      case 'corrupt':
      case 'truncate':
      case 'stale':
      case 'lie':
      case 'old':
      case undefined:
        return work(fault)
    }
  }

  #sink(inner: FragmentSink, name: FragmentName, signal: AbortSignal | undefined): FragmentSink {
    return {
      write: (bytes) => this.#meet('write', name, signal, (fault) => (says(fault, 'done') ? Promise.resolve() : inner.write(bytes))),
      finish: () =>
        this.#meet('finish', name, signal, async (fault) => {
          if (says(fault, 'exists')) throw exists(this.label)
          if (says(fault, 'done')) return inner.abort()
          await inner.finish()
          this.#written.push(name)
        }),
      abort: () => inner.abort(),
      ...(inner.suspend === undefined ? {} : { suspend: () => inner.suspend?.() ?? Promise.resolve() }),
      get acceptedBytes() {
        return inner.acceptedBytes
      },
    }
  }

  #unfinished(inner: UnfinishedWrite, name: FragmentName): UnfinishedWrite {
    return {
      sizeBytes: inner.sizeBytes,
      read: (offset, into, options = {}) =>
        this.#meet('read', name, options.signal, async (fault) => {
          await inner.read(offset, into, options)
          corrupt(into, offset, fault)
        }),
      resume: (sizeBytes, options = {}) =>
        this.#meet('create', name, options.signal, async () => this.#sink(await inner.resume(sizeBytes, options), name, options.signal)),
      close: () => inner.close(),
    }
  }

  /** `opened`: the fault that the opening met; it stays with the source, as a bad sector does. */
  #source(inner: FragmentSource, name: FragmentName, opened: Fault | undefined): FragmentSource {
    const sizeBytes = opened?.kind === 'truncate' ? Math.min(inner.sizeBytes, opened.sizeBytes) : inner.sizeBytes
    const tail = inner.tail.slice(0, Math.max(0, inner.tail.length - (inner.sizeBytes - sizeBytes)))
    corrupt(tail, sizeBytes - tail.length, opened)
    return {
      sizeBytes,
      tail,
      read: (offset, into, options = {}) =>
        this.#meet('read', name, options.signal, async (fault) => {
          const end = fault?.kind === 'truncate' ? Math.min(sizeBytes, fault.sizeBytes) : sizeBytes
          if (offset + into.length > end) throw truncated(this.label, { wanted: into.length, got: Math.max(0, end - offset) })
          await inner.read(offset, into, options)
          corrupt(into, offset, opened)
          corrupt(into, offset, fault)
        }),
      close: () => inner.close(),
    }
  }

  #oldSource(name: FragmentName, tailBytes: number): FragmentSource {
    const bytes = this.#snapshot.get(name)
    if (bytes === undefined) throw absent(this.label)
    return {
      sizeBytes: bytes.length,
      tail: bytes.slice(Math.max(0, bytes.length - tailBytes)),
      read: (offset, into) => Promise.resolve(into.set(bytes.subarray(offset, offset + into.length))),
      close: () => Promise.resolve(),
    }
  }

  #refuse(code: FailureCode): Failure {
    return locationFailure(code, { label: this.label, detail: `${this.label} misbehaves as planned: ${code}.`, next: 'This is a test.' })
  }
}

function says(fault: Fault | undefined, what: 'absent' | 'exists' | 'done'): boolean {
  return fault?.kind === 'lie' && fault.says === what
}

/** Changes the byte at the fault's offset when it lies in these bytes, which begin at `from` of the object. */
function corrupt(bytes: Uint8Array, from: number, fault: Fault | undefined): void {
  if (fault?.kind !== 'corrupt' || fault.offset < from || fault.offset >= from + bytes.length) return
  bytes[fault.offset - from]! ^= fault.xor
}

function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const cancel = (): void => reject(new Failure('base.cancelled'))
    if (signal?.aborted) cancel()
    else signal?.addEventListener('abort', cancel, { once: true })
  })
}
