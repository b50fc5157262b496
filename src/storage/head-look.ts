// What heads stand at the places, and which of them counts where several sites write (docs/spec/vault.md, "Several writers").
import { type Clock, Failure } from '#base'
import { HEAD_BYTES_MAX, headHash, headName, parseVaultHead, type VaultHead } from './head.ts'
import type { Location } from './location.ts'
import { type Patience, within } from './patience.ts'
import type { Place } from './place.ts'

export interface SeenHead {
  readonly epoch: number
  readonly hash: string
  readonly bytes: Uint8Array
  readonly head: VaultHead
  /** Ids of the places that showed it. */
  readonly places: ReadonlySet<string>
}

export interface Look {
  /** Ids of the places that answered. */
  readonly heard: ReadonlySet<string>
  /** Epochs under whose names anything stands, by place. */
  readonly taken: ReadonlyMap<string, ReadonlySet<number>>
  readonly heads: readonly SeenHead[]
  /** Heads that verify, of signers who are not accepted. */
  readonly strangers: readonly SeenHead[]
}

/** The newest names of a place are looked at; a place that shows more than this is not believed to hold anything else. */
const NAMES_READ_MAX = 16
const PAGES_MAX = 100
const JUNK_MAX = 64

/**
 * Asks every usable place for heads of epoch `from` and later. `known` is not read again where it was seen. Heads that do not verify, and those
 * whose signer `accepts` refuses, are passed over.
 */
export async function lookAtHeads(given: {
  readonly places: readonly Place[]
  readonly vault: string
  readonly from: number
  readonly known?: SeenHead | undefined
  readonly accepts: (head: VaultHead) => boolean
  readonly clock: Clock
  readonly stallMs: number
  readonly signal?: AbortSignal | undefined
}): Promise<Look> {
  const { vault, from, known, clock, stallMs, signal } = given
  const heard = new Set<string>()
  const taken = new Map<string, Set<number>>()
  const found = new Map<string, SeenHead & { readonly places: Set<string> }>()
  const strange = new Map<string, SeenHead & { readonly places: Set<string> }>()
  const ask = async (place: Place): Promise<void> => {
    const patience = { clock, ms: stallMs, label: place.label, signal }
    try {
      const epochs = await epochsAt(place, { vault, from, patience })
      const mine = new Set(epochs)
      for (const epoch of epochs.slice(-NAMES_READ_MAX)) {
        if (known?.epoch === epoch && known.places.has(place.id)) {
          note(found, known, place)
          continue
        }
        const bytes = await readIfThere(place, headName(vault, epoch), patience)
        const head = bytes === undefined ? undefined : headOf(bytes)
        if (bytes === undefined || head === undefined || head.vault !== vault || head.epoch !== epoch) continue
        note(given.accepts(head) ? found : strange, { epoch, hash: headHash(bytes), bytes, head }, place)
      }
      taken.set(place.id, mine)
      heard.add(place.id)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      place.failed(error)
    }
  }
  const note = (among: typeof found, seen: Omit<SeenHead, 'places'>, place: Place): void => {
    const { epoch, hash, bytes, head } = seen
    const entry = among.get(hash) ?? { epoch, hash, bytes, head, places: new Set<string>() }
    entry.places.add(place.id)
    among.set(hash, entry)
  }
  await Promise.all(given.places.filter(({ usable }) => usable).map(ask))
  if (signal?.aborted) throw new Failure('base.cancelled')
  return { heard, taken, heads: [...found.values()], strangers: [...strange.values()] }
}

/** Epochs of the names from `from` on, rising. */
async function epochsAt(
  place: Place,
  given: { readonly vault: string; readonly from: number; readonly patience: Patience },
): Promise<number[]> {
  const { vault, from, patience } = given
  const names = await headNames(place.location, { vault, after: headName(vault, Math.max(0, from - 1)) }, patience)
  return names
    .map((name) => Number.parseInt(name.slice(name.lastIndexOf('/') + 1), 16))
    .filter((epoch) => Number.isSafeInteger(epoch) && epoch >= from)
    .toSorted((a, b) => a - b)
}

/** Names under which heads stand, or what else somebody put there; of a place without end, the first pages. */
export async function headNames(
  location: Location,
  request: { readonly vault: string; readonly after?: string },
  patience: Patience,
): Promise<string[]> {
  const prefix = `head/${request.vault}/`
  const names: string[] = []
  let after = request.after
  for (let page = 0; page < PAGES_MAX; page++) {
    const one = await within(patience, (stop) => location.list({ prefix, after }, { signal: stop }))
    names.push(...one.entries.map(({ name }) => name))
    if (one.next === undefined) break
    after = one.next
  }
  return names
}

/** Undefined when it is not there any more, or longer than a head can be. */
async function readIfThere(place: Place, name: string, patience: Patience): Promise<Uint8Array | undefined> {
  try {
    return await within(patience, (stop) => readHead(place.location, name, stop))
  } catch (error) {
    if (error instanceof Failure && (error.kind === 'absent' || error.kind === 'corrupt')) return undefined
    throw error
  }
}

/** The bytes under the name of a head. Throws `format.framing` when they are more than a head can have. */
export async function readHead(location: Location, name: string, signal: AbortSignal): Promise<Uint8Array> {
  const source = await location.open(name, { tailBytes: HEAD_BYTES_MAX, signal })
  try {
    if (source.sizeBytes > HEAD_BYTES_MAX) throw new Failure('format.framing', { detail: 'the vault head is too long' })
    return source.tail.slice()
  } finally {
    await source.close()
  }
}

/** Undefined when it was put there; else what stands under the name, which may be the same; of more than a head can have, its end. */
export async function putHead(
  place: Place,
  head: { readonly name: string; readonly bytes: Uint8Array },
  patience: Patience,
): Promise<Uint8Array | undefined> {
  const { name, bytes } = head
  if (!place.usable)
    throw new Failure('location.unreachable', { detail: place.view.detail || `${place.label} is not in use`, culprits: [place.label] })
  if ((await within(patience, (signal) => place.location.putIfAbsent(name, bytes, { signal }))) === 'created') return undefined
  return within(patience, async (signal) => {
    const source = await place.location.open(name, { tailBytes: HEAD_BYTES_MAX, signal })
    try {
      return source.tail.slice()
    } finally {
      await source.close()
    }
  })
}

/** Undefined when these bytes are no head that verifies under the keys that it carries. */
export function headOf(bytes: Uint8Array): VaultHead | undefined {
  try {
    return parseVaultHead(bytes)
  } catch {
    return undefined
  }
}

export interface Ballot {
  /** Ids of the locations that keep a name from being written twice. */
  readonly voters: readonly string[]
  readonly look: {
    readonly heard: ReadonlySet<string>
    readonly taken: ReadonlyMap<string, ReadonlySet<number>>
    readonly heads: readonly { readonly epoch: number; readonly hash: string; readonly places: ReadonlySet<string> }[]
  }
  /** The newest head that counted so far. */
  readonly base: { readonly epoch: number; readonly hash: string | null }
}

/**
 * newest   this head stands at more than half of the voters: no other of its epoch can
 * help     it may become that, and may be it already: it is to be put where its name is free
 * unknown  one may count that too few places show: nothing may be written now
 * none     nothing newer counts, nor ever will, up to `spent`: the next epoch is free
 */
export type Verdict =
  | { readonly kind: 'newest' | 'help'; readonly hash: string; readonly spent: number }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'none'; readonly spent: number }

export function majorityOf(voters: readonly string[]): number {
  return Math.floor(voters.length / 2) + 1
}

export function judge({ voters, look, base }: Ballot): Verdict {
  const majority = majorityOf(voters)
  const heard = voters.filter((id) => look.heard.has(id))
  const silent = voters.length - heard.length
  const later = look.heads.filter(({ epoch }) => epoch > base.epoch)
  const spent = Math.max(base.epoch, ...later.map(({ epoch }) => epoch))
  for (const epoch of [...new Set(later.map((one) => one.epoch))].toSorted((a, b) => b - a)) {
    const free = heard.filter((id) => look.taken.get(id)?.has(epoch) !== true).length
    const rivals = later
      .filter((one) => one.epoch === epoch)
      .map(({ hash, places }) => ({ hash, standing: voters.filter((id) => places.has(id)).length }))
      .toSorted((a, b) => b.standing - a.standing || (a.hash < b.hash ? -1 : 1))
    const [first] = rivals
    if (first!.standing >= majority)
      return {
        kind: 'newest',
        hash: rivals.filter(({ standing }) => standing >= majority).toSorted((a, b) => (a.hash < b.hash ? -1 : 1))[0]!.hash,
        spent,
      }
    if (first!.standing + free >= majority) return { kind: 'help', hash: first!.hash, spent }
    if (first!.standing + silent >= majority) return { kind: 'unknown' }
  }
  if (silent >= majority) return { kind: 'unknown' }
  // Names that hold junk at too many voters can never carry a head.
  let next = spent
  const usedUp = (epoch: number): boolean => heard.filter((id) => look.taken.get(id)?.has(epoch) !== true).length + silent < majority
  for (let tried = 0; tried < JUNK_MAX && usedUp(next + 1); tried++) next += 1
  return { kind: 'none', spent: next }
}
