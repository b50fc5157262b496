// What a driver of an object store does, as a location: names are checked before anybody is asked.
import { assert } from '#base'
import type { LocationKind } from '#contract'
import { bounds } from '../bounds.ts'
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
} from '../contract.ts'
import { checkName } from '../names.ts'

type Named<Answer, More = unknown> = (name: FragmentName, options: LocationOptions & More) => Promise<Answer>

/** As the calls of a location of the same names. */
export interface StoreCalls {
  readonly kind: LocationKind
  readonly label: string
  readonly lockDays: number | undefined
  readonly create: Named<FragmentSink, { readonly expectedBytes?: number; readonly adoptable?: boolean }>
  readonly putOnce: (name: FragmentName, bytes: Uint8Array, options: LocationOptions) => Promise<'created' | 'exists'>
  readonly open: Named<FragmentSource, { readonly tailBytes?: number }>
  readonly sizeOf: Named<number | undefined>
  readonly list: (request: ListRequest, options: LocationOptions) => Promise<ListPage>
  readonly discard: Named<'gone' | 'kept'>
  readonly adopt?: Named<UnfinishedWrite | undefined>
  readonly forget?: Named<void>
  readonly extendLock?: Named<'extended' | 'held' | 'refused'>
  readonly hides?: Named<boolean>
  readonly sweepPartial: (request: { readonly olderThanMs: number }, options: LocationOptions) => Promise<number>
  readonly probe: (location: Location, options: LocationOptions) => Promise<Capabilities>
  readonly close: () => void
}

export function storeLocation(calls: StoreCalls): Location {
  const { kind, label, lockDays, adopt, forget, extendLock, hides } = calls
  const checked = (name: FragmentName): FragmentName => {
    checkName(name, label)
    return name
  }
  const named =
    <Answer, More>(call: Named<Answer, More>): ((name: FragmentName, options?: LocationOptions & More) => Promise<Answer>) =>
    async (name, options) =>
      call(checked(name), options ?? ({} as LocationOptions & More))
  const location: Location = {
    kind,
    label,
    lockDays,
    create: named(calls.create),
    putIfAbsent: async (name, bytes, options = {}) => {
      assert(bytes.length <= bounds.smallBytesMax, 'a small object')
      return calls.putOnce(checked(name), bytes, options)
    },
    open: named(calls.open),
    head: async (name, options = {}) => {
      const sizeBytes = await calls.sizeOf(checked(name), options)
      return sizeBytes === undefined ? undefined : { sizeBytes }
    },
    list: (request, options = {}) => calls.list(request, options),
    discard: named(calls.discard),
    ...(adopt === undefined ? {} : { adopt: named(adopt) }),
    ...(forget === undefined ? {} : { forget: named(forget) }),
    ...(extendLock === undefined ? {} : { extendLock: named(extendLock) }),
    ...(hides === undefined ? {} : { hides: named(hides) }),
    sweepPartial: (request, options = {}) => calls.sweepPartial(request, options),
    probe: (options = {}) => calls.probe(location, options),
    close: async () => calls.close(),
  }
  return location
}
