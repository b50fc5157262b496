// The newest head where several sites write: heard, helped to stand, followed; and the next one, which counts when more than half took it.
import { equalPublic, Failure, rfc3339 } from '#base'
import { random } from '#crypto/primitives'
import { newId } from '#format'
import { parseCapabilities } from './enrolment.ts'
import { adoptHead, type Followed } from './follow.ts'
import { encodeKeys, headName } from './head.ts'
import { judge, lookAtHeads, majorityOf, putHead, type SeenHead } from './head-look.ts'
import type { Place } from './place.ts'
import type { Vault } from './vault.ts'
import type { WriterBook } from './writers-book.ts'

/** Each round puts a head where it was missing, or takes one over. */
const ROUNDS_MAX = 16

export interface HeadView {
  readonly epoch: number
  /** Places that showed the newest head, of those that keep a name from being written twice. */
  readonly standing: number
  /** Places that answered when heads were looked at last. */
  readonly heard: number
  readonly voters: number
}

export class AmongOthers {
  readonly #vault: Vault
  readonly #book: WriterBook
  readonly #home: string
  readonly #followed: (what: Followed) => void
  #newest: SeenHead | undefined
  #view: HeadView | undefined

  constructor(vault: Vault, book: WriterBook, given: { readonly home: string; readonly followed: (what: Followed) => void }) {
    this.#vault = vault
    this.#book = book
    this.#home = given.home
    this.#followed = given.followed
  }

  get view(): HeadView | undefined {
    return this.#view
  }

  /** True when the place is known to hold the newest head. */
  holds(place: string): boolean {
    return this.#newest?.places.has(place) === true
  }

  /** Ids of the locations that may vote: those whose probe found them honest. */
  async voters(): Promise<string[]> {
    const rows = await this.#vault.parts.db.kysely.selectFrom('location').select(['location', 'capabilities']).orderBy('x').execute()
    const essential = new Set(this.#vault.parts.places.essential.map(({ id }) => id))
    return rows
      .filter(({ location, capabilities }) => essential.has(location) && parseCapabilities(capabilities)?.honestCreate === true)
      .map(({ location }) => location)
  }

  /** Looks only: what the status says. Never throws for a place. */
  async look(signal?: AbortSignal): Promise<void> {
    await this.#look(await this.voters(), signal)
  }

  /**
   * Brings this site to the newest head that counts. Answers the last epoch that is used up. Throws `storage.head` when too few places answer
   * to tell, `storage.read-only` when another home has taken the vault over.
   */
  async establish(signal?: AbortSignal): Promise<number> {
    const voters = await this.voters()
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const { row } = this.#vault
      const look = await this.#look(voters, signal)
      const verdict = judge({ voters, look, base: { epoch: row.epoch, hash: row.head_hash } })
      if (verdict.kind === 'unknown') throw this.#unknown(look.heard)
      if (verdict.kind === 'none') {
        await this.#bringBack(look.taken, signal)
        return verdict.spent
      }
      const seen = look.heads.find(({ hash }) => hash === verdict.hash)!
      if (verdict.kind === 'newest') await this.#adopt(seen)
      else if ((await this.#putWhereFree(seen, look.taken, signal)) === 0) throw this.#unknown(look.heard)
    }
    throw new Failure('storage.contended', {
      detail: 'other sites write heads faster than this one can follow',
      next: 'It is tried again by itself.',
    })
  }

  /** True when the head stands at more than half of the voters, and at k places: then it counts for everybody. */
  async publish(seen: Omit<SeenHead, 'places'>, signal?: AbortSignal): Promise<boolean> {
    const voters = await this.voters()
    const standing = new Set<string>()
    const failures: Failure[] = []
    let rivals = 0
    await Promise.all(
      this.#vault.parts.places.essential.map(async (place) => {
        try {
          if (await this.#put(place, seen, signal)) standing.add(place.id)
          else rivals += 1
        } catch (error) {
          const failure = error instanceof Failure ? error : new Failure('base.internal', { cause: error })
          if (place.usable) place.failed(failure)
          failures.push(failure)
        }
      }),
    )
    const votes = voters.filter((id) => standing.has(id)).length
    if (votes >= majorityOf(voters) && standing.size >= this.#vault.row.threshold) {
      this.#newest = { ...seen, places: standing }
      this.#view = {
        epoch: seen.epoch,
        standing: votes,
        heard: this.#vault.parts.places.essential.length - failures.length,
        voters: voters.length,
      }
      return true
    }
    if (rivals > 0) return false
    throw new Failure('storage.quorum', {
      detail: `only ${standing.size} of ${this.#vault.parts.places.essential.length} locations took the vault head, and where several sites write more than half must: ${failures.map(({ message }) => message).join('; ')}`,
      culprits: failures.flatMap(({ culprits }) => culprits),
      next: 'Bring the named locations back; names and folders of the last minutes are in the database of this site only.',
    })
  }

  async #look(voters: readonly string[], signal: AbortSignal | undefined): ReturnType<typeof lookAtHeads> {
    const { places, clock, stallMs } = this.#vault.parts
    const { row } = this.#vault
    const look = await lookAtHeads({
      places: places.essential,
      vault: row.vault,
      from: Math.max(1, row.epoch),
      known: this.#newest,
      accepts: (head) => this.#book.maySign(head),
      clock,
      stallMs,
      signal,
    })
    const own = look.heads.find(({ hash }) => hash === row.head_hash)
    if (own !== undefined) this.#newest = own
    this.#view = {
      epoch: row.epoch,
      standing: voters.filter((id) => own?.places.has(id) === true).length,
      heard: look.heard.size,
      voters: voters.length,
    }
    this.#requireNoSuccessor(look.strangers)
    return look
  }

  /** Keys that nobody certified and that call our dealer a former one: a home that recovered the vault, when more places say so than may lie together. */
  #requireNoSuccessor(strangers: readonly SeenHead[]): void {
    const root = encodeKeys(this.#book.root)
    const successors = strangers.filter(
      ({ epoch, head }) =>
        epoch > this.#vault.row.epoch && head.formerDealers.some((keys) => keys.mldsa65 === root.mldsa65 && keys.ed25519 === root.ed25519),
    )
    if (new Set(successors.flatMap(({ places }) => [...places])).size < this.#vault.row.threshold) return
    throw new Failure('storage.read-only', {
      detail: 'another home has recovered the vault and taken it over',
      next: 'Join it with an empty QUORATE_HOME (quorate join), or recover it there; nothing of it was written over.',
    })
  }

  async #adopt(seen: SeenHead): Promise<void> {
    await this.#book.learn(seen.head)
    const followed = await adoptHead(this.#vault, seen, { site: this.#book.nameOf(this.#book.own), home: this.#home })
    this.#newest = seen
    if (followed.forked) await this.#alarm(seen)
    this.#followed(followed)
  }

  async #alarm(seen: SeenHead): Promise<void> {
    const { db, clock } = this.#vault.parts
    await db.kysely
      .insertInto('head_alarm')
      .values({
        id: newId(),
        code: 'storage.fork',
        text: `The vault went on from another history than the one this site knew (head ${seen.epoch}). What only this site knew was added again; nothing was lost.`,
        next: 'Find out which location showed an old state, or who wrote with these keys. Then acknowledge this.',
        at: rfc3339(clock.now()),
      })
      .execute()
  }

  /** The newest head goes where it is missing: places that were away, or were emptied. */
  async #bringBack(taken: ReadonlyMap<string, ReadonlySet<number>>, signal: AbortSignal | undefined): Promise<void> {
    const newest = this.#newest
    if (newest !== undefined && newest.hash === this.#vault.row.head_hash) await this.#putWhereFree(newest, taken, signal)
  }

  async #putWhereFree(seen: SeenHead, taken: ReadonlyMap<string, ReadonlySet<number>>, signal: AbortSignal | undefined): Promise<number> {
    let put = 0
    await Promise.all(
      this.#vault.parts.places.essential.map(async (place) => {
        if (!place.usable || taken.get(place.id)?.has(seen.epoch) !== false) return
        try {
          if (await this.#put(place, seen, signal)) put += 1
        } catch (error) {
          if (error instanceof Failure) place.failed(error)
        }
      }),
    )
    return put
  }

  /** False when something else stands there under the name. */
  async #put(place: Place, { epoch, bytes }: Pick<SeenHead, 'epoch' | 'bytes'>, signal: AbortSignal | undefined): Promise<boolean> {
    const { clock, stallMs } = this.#vault.parts
    const name = headName(this.#vault.row.vault, epoch)
    const found = await putHead(place, { name, bytes }, { clock, ms: stallMs, label: place.label, signal })
    return found === undefined || equalPublic(found, bytes)
  }

  #unknown(heard: ReadonlySet<string>): Failure {
    const silent = this.#vault.parts.places.essential.filter(({ id }) => !heard.has(id)).map(({ label }) => label)
    return new Failure('storage.head', {
      detail: `too few locations answer to tell which state of the vault is the newest${silent.length === 0 ? '' : `: ${silent.join(', ')} did not`}`,
      culprits: silent,
      next: 'Bring them back. Files are kept meanwhile; other sites hear of them afterwards.',
    })
  }
}

/** From half of it to one and a half: sites that met once do not meet again at once. */
export function jittered(ms: number): number {
  return Math.round(ms * (0.5 + random(1)[0]! / 256))
}
