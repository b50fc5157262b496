// A site over locations in memory that misbehave as each test plans, with every open source and sink counted.
import type { Clock } from '#base'
import type { Location } from '#storage'
import type { FragmentSink } from '../../src/storage/location.ts'
import { type Fault, type FaultyCall, type FaultyLocation, type FaultyOperation, wrapFaulty } from '../../src/storage/locations/faulty.ts'
import { createMemoryLocation, type MemoryLocation } from '../../src/storage/locations/memory.ts'
import { makeSite, type TestSite } from './site.ts'
import { turnClock } from './turn-clock.ts'

/** Places answer from memory within a turn or two, so that these short times only ever meet those that were told to hang. */
export const IMPATIENT = { stallMs: 60, hedgeMs: 15, checkMs: 60 } as const

export interface Control {
  readonly memory: MemoryLocation
  readonly faulty: FaultyLocation
  /** What goes wrong with which call; replaced by tests at any time. */
  plan: (call: FaultyCall) => Fault | undefined
  /** Sources and sinks that nobody has closed. */
  open: number
}

export interface FaultySite extends TestSite {
  readonly at: Readonly<Record<string, Control>>
}

interface FaultyRequest extends NonNullable<Parameters<typeof makeSite>[0]> {
  readonly clock?: Clock
  /** Told of every call to a place before it is decided what becomes of it. */
  readonly heard?: (label: string, call: FaultyCall) => void
}

export async function makeFaultySite({ clock = turnClock(), heard, ...request }: FaultyRequest = {}): Promise<FaultySite> {
  const at: Record<string, Control> = {}
  const wrapLocation = (location: Location): Location => {
    // After a restart the same memory stands behind the label.
    const known = at[location.label]
    if (known !== undefined) return known.faulty
    const memory = createMemoryLocation({ label: location.label, clock })
    const control: Control = { memory, open: 0, plan: () => undefined, faulty: undefined as unknown as FaultyLocation }
    const plan = (call: FaultyCall): Fault | undefined => {
      heard?.(location.label, call)
      return control.plan(call)
    }
    const faulty = wrapFaulty(counted(memory, control), plan, { clock })
    at[location.label] = Object.assign(control, { faulty })
    return faulty
  }
  const site = await makeSite({ ...request, options: { ...IMPATIENT, clock, ...request.options, wrapLocation } })
  return Object.assign(site, { at })
}

/** Runs `work` in a site that is ended after it, whatever happens; then nothing may be left open. */
export async function withFaultySite(request: Parameters<typeof makeSite>[0], work: (site: FaultySite) => Promise<void>): Promise<void> {
  const site = await makeFaultySite(request)
  try {
    await work(site)
  } finally {
    for (const control of Object.values(site.at)) control.plan = () => undefined
    await site.end()
  }
  for (const [label, { open }] of Object.entries(site.at))
    if (open !== 0) throw new Error(`${open} sources or sinks of ${label} were left open`)
}

/** A plan: this fault for these operations on fragments, never on the marker. */
export function on(
  operations: readonly FaultyOperation[],
  fault: Fault,
  only: (call: FaultyCall) => boolean = () => true,
): Control['plan'] {
  return (call) => (operations.includes(call.operation) && isFragment(call) && only(call) ? fault : undefined)
}

export function isFragment(call: { readonly name: string | undefined; readonly operation: FaultyOperation }): boolean {
  return call.name === undefined ? call.operation === 'list' : /^[0-9a-f]{2}\//.test(call.name)
}

/** Names of fragments in the place. */
export function fragmentsAt(control: Control): string[] {
  return [...control.memory.objects.keys()].filter((name) => /^[0-9a-f]{2}\//.test(name))
}

/** What one place keeps, to be put back later: as after a restore from a backup. */
export function remember(control: Control): () => void {
  const before = new Map([...control.memory.objects].map(([name, bytes]) => [name, bytes.slice()]))
  return () => {
    control.memory.objects.clear()
    for (const [name, bytes] of before) control.memory.objects.set(name, bytes)
  }
}

function counted(memory: MemoryLocation, control: { open: number }): Location {
  const once = (): (() => void) => {
    control.open += 1
    let closed = false
    return () => {
      if (!closed) control.open -= 1
      closed = true
    }
  }
  const held = (sink: FragmentSink): FragmentSink => {
    const close = once()
    return {
      write: (bytes) => sink.write(bytes),
      finish: () => sink.finish().finally(close),
      abort: () => sink.abort().finally(close),
      suspend: async () => sink.suspend?.().finally(close),
      get acceptedBytes() {
        return sink.acceptedBytes
      },
    }
  }
  return {
    kind: memory.kind,
    label: memory.label,
    create: async (name, options) => held(await memory.create(name, options)),
    adopt: async (name, options) => {
      const left = await memory.adopt?.(name, options)
      if (left === undefined) return undefined
      const close = once()
      return {
        sizeBytes: left.sizeBytes,
        read: (offset, into, readOptions) => left.read(offset, into, readOptions),
        resume: async (sizeBytes, resumeOptions) => held(await left.resume(sizeBytes, resumeOptions).finally(close)),
        close: () => left.close().finally(close),
      }
    },
    forget: async (name, options) => memory.forget?.(name, options),
    open: async (name, options) => {
      const source = await memory.open(name, options)
      const close = once()
      return { ...source, close: () => source.close().finally(close) }
    },
    putIfAbsent: (name, bytes, options) => memory.putIfAbsent(name, bytes, options),
    head: (name, options) => memory.head(name, options),
    list: (request, options) => memory.list(request, options),
    discard: (name, options) => memory.discard(name, options),
    sweepPartial: (request, options) => memory.sweepPartial(request, options),
    probe: (options) => memory.probe(options),
    close: () => memory.close(),
  }
}
