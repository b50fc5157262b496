// The next head where one site writes alone: it counts when k places took it. A vault that is newer than our database is not written over.
import { equalPublic, Failure } from '#base'
import { encodeKeys, headName, type VaultHead } from './head.ts'
import { headOf, putHead, readHead } from './head-look.ts'
import { within } from './patience.ts'
import type { Place } from './place.ts'
import type { Vault } from './vault.ts'

export class Alone {
  readonly #vault: Vault
  /** True once the places were asked whether the vault is newer than the database. */
  #newest = false

  constructor(vault: Vault) {
    this.#vault = vault
  }

  /**
   * Once in each run, before the first write: a database that was put back from a backup, or whose vault was recovered by another home, must
   * not write over what came after it. A part of the catalogue is in the database before a head names it, so no crash looks like this.
   */
  async requireNewest(): Promise<void> {
    if (this.#newest) return
    const { places } = this.#vault.parts
    const { row } = this.#vault
    const newer = await Promise.all(places.all.filter(({ usable }) => usable).map((place) => this.#newestAt(place)))
    const ahead = newer.filter((head) => head?.vault === row.vault && newestSequence(head) >= row.next_sequence)
    const successors = ahead.filter((head) => head!.formerDealers.some((dealer) => this.#signed({ dealer })))
    // Our own signature nobody forges; a successor's counts when more places show it than may lie together.
    if (ahead.some((head) => this.#signed(head!)) || successors.length >= row.threshold) throw older()
    this.#newest = true
  }

  async #newestAt(place: Place): Promise<VaultHead | undefined> {
    const { clock, stallMs } = this.#vault.parts
    const { row } = this.#vault
    const patience = { clock, ms: stallMs, label: place.label }
    try {
      const after = headName(row.vault, row.epoch)
      const page = await within(patience, (signal) => place.location.list({ prefix: `head/${row.vault}/`, after }, { signal }))
      const name = page.entries.at(-1)?.name
      return name === undefined ? undefined : headOf(await within(patience, (signal) => readHead(place.location, name, signal)))
    } catch (error) {
      if (error instanceof Failure) place.failed(error)
      return undefined
    }
  }

  /** Answers the ids of the places at which these bytes stand now, or `taken` when another head of ours has this epoch. */
  async publish(epoch: number, bytes: Uint8Array): Promise<ReadonlySet<string> | 'taken'> {
    const { places, clock, stallMs } = this.#vault.parts
    const { row } = this.#vault
    const name = headName(row.vault, epoch)
    const failures: Failure[] = []
    const standing = new Set<string>()
    let rival: 'taken' | 'newer' | undefined
    const put = async (place: Place): Promise<void> => {
      try {
        const found = await putHead(place, { name, bytes }, { clock, ms: stallMs, label: place.label })
        if (found === undefined || equalPublic(found, bytes)) return void standing.add(place.id)
        const own = this.#ownHead(found, epoch)
        if (own === undefined)
          throw new Failure('location.lies', {
            detail: `${place.label} holds something else under the name of the vault head`,
            culprits: [place.label],
          })
        if (rival !== 'newer') rival = own
      } catch (error) {
        const failure = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
        if (place.usable) place.failed(failure)
        failures.push(failure)
      }
    }
    const named = places.essential
    await Promise.all(named.map(put))
    if (rival === 'newer') throw older()
    if (rival === 'taken') return 'taken'
    if (standing.size >= row.threshold) return standing
    throw new Failure('storage.quorum', {
      detail: `only ${standing.size} of ${named.length} locations took the vault head: ${failures.map(({ message }) => message).join('; ')}`,
      culprits: failures.flatMap(({ culprits }) => culprits),
      next: 'Bring the named locations back; names and folders of the last minutes are in the database of this site only.',
    })
  }

  /** Whether we signed these bytes ourselves, in a run that died before it could say so, or beside us, with more than our database knows. */
  #ownHead(bytes: Uint8Array, epoch: number): 'taken' | 'newer' | undefined {
    const head = headOf(bytes)
    if (head === undefined || head.vault !== this.#vault.row.vault || head.epoch !== epoch || !this.#signed(head)) return undefined
    return newestSequence(head) >= this.#vault.row.next_sequence ? 'newer' : 'taken'
  }

  #signed({ dealer }: { readonly dealer: VaultHead['dealer'] }): boolean {
    const own = encodeKeys(this.#vault.parts.signer().keys)
    return dealer.mldsa65 === own.mldsa65 && dealer.ed25519 === own.ed25519
  }
}

/** Sequence of the newest part of the catalogue that the head names. */
function newestSequence(head: VaultHead): number {
  return Math.max(0, head.catalogue?.sequence ?? 0, ...head.segments.map(({ sequence }) => sequence))
}

function older(): Failure {
  return new Failure('storage.read-only', {
    detail:
      'the vault is newer than the database of this home, which was put back from a backup, or whose vault another home has taken over',
    next: 'Recover the vault into a new, empty QUORATE_HOME (quorate recover); nothing of it was written over.',
  })
}
