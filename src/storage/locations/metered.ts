// A location whose calls are counted: how many, how long, how much, how many failed. Nothing is changed by it.
import { type Clock, Failure } from '#base'
import type { FragmentSink, FragmentSource, Location, UnfinishedWrite } from './contract.ts'

export interface Meter {
  /** One call ended. `timed`: it is an answer of the place rather than the moving of bytes, so its duration says how quick the place is. */
  call(what: { readonly sort: 'put' | 'get'; readonly ms: number; readonly timed: boolean; readonly failed: boolean }): void
  /** Towards the location. */
  bytesIn(bytes: number): void
  /** From the location. */
  bytesOut(bytes: number): void
}

/** Reads of at most this many bytes are timed as answers. */
const TIMED_READ_BYTES = 65_536

/** The same location; what it can do besides the contract stays reachable. */
export function metered(location: Location, meter: Meter, clock: Clock): Location {
  const counted = async <T>(sort: 'put' | 'get', timed: boolean, work: () => Promise<T>): Promise<T> => {
    const started = clock.now()
    let failed = false
    try {
      return await work()
    } catch (error) {
      failed = isFault(error)
      throw error
    } finally {
      meter.call({ sort, ms: clock.now() - started, timed: timed && !failed, failed })
    }
  }
  const adopt = location.adopt?.bind(location)
  const own: Partial<Location> = {
    create: async (name, options) => {
      const sink = await counted('put', false, () => location.create(name, options))
      return meteredSink(sink, { meter, counted })
    },
    putIfAbsent: async (name, bytes, options) => {
      const answer = await counted('put', true, () => location.putIfAbsent(name, bytes, options))
      if (answer === 'created') meter.bytesIn(bytes.length)
      return answer
    },
    open: async (name, options) => {
      const source = await counted('get', true, () => location.open(name, options))
      meter.bytesOut(source.tail.length)
      return meteredSource(source, { meter, counted })
    },
    ...(adopt === undefined
      ? {}
      : {
          adopt: async (name, options) => {
            const left = await counted('get', true, () => adopt(name, options))
            return left === undefined ? undefined : meteredUnfinished(left, { meter, counted })
          },
        }),
    head: (name, options) => counted('get', true, () => location.head(name, options)),
    list: (request, options) => counted('put', false, () => location.list(request, options)),
    discard: (name, options) => counted('put', false, () => location.discard(name, options)),
  }
  return new Proxy(location, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name as keyof Location]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
}

interface Counting {
  readonly meter: Meter
  readonly counted: <T>(sort: 'put' | 'get', timed: boolean, work: () => Promise<T>) => Promise<T>
}

function meteredSink(sink: FragmentSink, { meter, counted }: Counting): FragmentSink {
  const writev = sink.writev?.bind(sink)
  return {
    write: async (bytes) => {
      const { length } = bytes
      await failing(sink.write(bytes), meter)
      meter.bytesIn(length)
    },
    ...(writev === undefined
      ? {}
      : {
          writev: async (parts: readonly Uint8Array[]) => {
            const length = parts.reduce((sum, part) => sum + part.length, 0)
            await failing(writev(parts), meter)
            meter.bytesIn(length)
          },
        }),
    finish: () => counted('put', false, () => sink.finish()),
    abort: () => sink.abort(),
    ...(sink.suspend === undefined ? {} : { suspend: () => sink.suspend?.() ?? Promise.resolve() }),
    get acceptedBytes() {
      return sink.acceptedBytes
    },
  }
}

function meteredUnfinished(left: UnfinishedWrite, counting: Counting): UnfinishedWrite {
  const { meter, counted } = counting
  return {
    sizeBytes: left.sizeBytes,
    read: async (offset, into, options) => {
      const { length } = into
      await counted('get', length <= TIMED_READ_BYTES, () => left.read(offset, into, options))
      meter.bytesOut(length)
    },
    resume: async (sizeBytes, options) => meteredSink(await counted('put', false, () => left.resume(sizeBytes, options)), counting),
    close: () => left.close(),
  }
}

function meteredSource(source: FragmentSource, { meter, counted }: Counting): FragmentSource {
  return {
    sizeBytes: source.sizeBytes,
    tail: source.tail,
    read: async (offset, into, options) => {
      const { length } = into
      await counted('get', length <= TIMED_READ_BYTES, () => source.read(offset, into, options))
      meter.bytesOut(length)
    },
    close: () => source.close(),
  }
}

/** A write that succeeds is part of its fragment's request; one that fails is a failure of its own. */
async function failing(work: Promise<void>, meter: Meter): Promise<void> {
  try {
    await work
  } catch (error) {
    if (isFault(error)) meter.call({ sort: 'put', ms: 0, timed: false, failed: true })
    throw error
  }
}

/** The place is at fault; a name that is absent or taken, or our own change of mind, is an answer. */
function isFault(error: unknown): boolean {
  return (
    !(error instanceof Failure) || !['location.absent', 'location.exists', 'location.unsupported', 'base.cancelled'].includes(error.code)
  )
}
