// The writers of the open vault as this site knows them: kept in the database, learnt from heads, asked before anything is written or believed.
import { type Clock, Failure, rfc3339 } from '#base'
import type { Signer, VerifyingKeys } from '#crypto/primitives'
import { dealerFingerprint, type KnownWriter, type WriterCertificate, type WriterRevocation, type WriterRoll, writerRoll } from '#format'
import type { Store } from './catalogue.ts'
import { decodeKeys, encodeKeys, type VaultHead } from './head.ts'
import { certifyWriter, parseWriterKeyLine, revokeWriter, writerName, WRITERS_MAX } from './writers.ts'

interface Parts {
  readonly db: Store
  readonly clock: Clock
  readonly vault: string
  readonly own: VerifyingKeys
}

export class WriterBook {
  readonly #parts: Parts
  readonly root: VerifyingKeys
  /** Keys whose objects are accepted; grows as writers become known. */
  readonly dealers: VerifyingKeys[]
  #certificates: readonly WriterCertificate[]
  #revocations: readonly WriterRevocation[]
  #roll: WriterRoll

  private constructor(
    parts: Parts,
    given: {
      readonly root: VerifyingKeys
      readonly dealers: readonly VerifyingKeys[]
      readonly certificates: readonly WriterCertificate[]
      readonly revocations: readonly WriterRevocation[]
    },
  ) {
    this.#parts = parts
    this.root = given.root
    this.dealers = [...given.dealers]
    this.#certificates = given.certificates
    this.#revocations = given.revocations
    this.#roll = this.#rollOf([], [])
    this.#accept()
  }

  static async load(parts: Parts, former: readonly VerifyingKeys[]): Promise<WriterBook> {
    const { kysely } = parts.db
    const state = await kysely.selectFrom('head_state').select('root').executeTakeFirst()
    const certificates = await kysely
      .selectFrom('writer_certificate')
      .select('certificate')
      .orderBy('fingerprint')
      .orderBy('by_whom')
      .execute()
    const revocations = await kysely
      .selectFrom('writer_revocation')
      .select('revocation')
      .orderBy('fingerprint')
      .orderBy('by_whom')
      .execute()
    const root = state?.root ? decodeKeys(JSON.parse(state.root) as { mldsa65: string; ed25519: string }) : parts.own
    return new WriterBook(parts, {
      root,
      dealers: [parts.own, root, ...former],
      certificates: certificates.map(({ certificate }) => JSON.parse(certificate) as WriterCertificate),
      revocations: revocations.map(({ revocation }) => JSON.parse(revocation) as WriterRevocation),
    })
  }

  get roll(): WriterRoll {
    return this.#roll
  }

  /** More sites than this one write, or once did: then every head may be another's. */
  get several(): boolean {
    return this.#certificates.length > 0
  }

  get own(): string {
    return dealerFingerprint(this.#parts.own)
  }

  /** What a head carries so that every reader can judge its signer. Empty where one site writes. */
  get forHead(): Pick<VaultHead, 'root' | 'writers' | 'revoked'> {
    if (!this.several) return {}
    return { root: encodeKeys(this.root), writers: [...this.#certificates], revoked: [...this.#revocations] }
  }

  /** What people call a writer. */
  nameOf(fingerprint: string): string {
    const known = this.#roll.active.get(fingerprint) ?? this.#roll.revoked.get(fingerprint)
    return known === undefined || known.name === '' ? fingerprint.slice(0, 8) : known.name
  }

  /** Throws `storage.writer` when this site was taken off the list. */
  requireOwn(): void {
    if (this.#roll.active.has(this.own)) return
    throw new Failure('storage.writer', {
      detail: 'this site is not among the writers of the vault any more',
      next: 'It can read. To write again it needs new keys: ask a site that writes, and join with an empty QUORATE_HOME.',
    })
  }

  /** True when the signer of the head may write, by what we know and what the head itself proves. */
  maySign(head: VaultHead): boolean {
    const print = dealerFingerprint(decodeKeys(head.dealer))
    if (this.#roll.active.has(print) && (head.revoked ?? []).length === 0) return true
    return this.#rollOf(head.writers ?? [], head.revoked ?? []).active.has(print)
  }

  /** Writers that a head of an accepted signer names become known, and stay. True when that changed anything. */
  async learn(head: VaultHead): Promise<boolean> {
    // Only what proves itself is kept: a writer must not fill the list of all others with junk.
    const roll = this.#rollOf(head.writers ?? [], head.revoked ?? [])
    const known = (print: string): KnownWriter | undefined => roll.active.get(print) ?? roll.revoked.get(print)
    const certificates = merged(
      this.#certificates,
      (head.writers ?? []).filter((one) => known(dealerFingerprint(decodeKeys(one.keys)))?.by.includes(one.by) === true),
      (one) => `${one.keys.mldsa65} ${one.keys.ed25519} ${one.by}`,
    )
    const revocations = merged(
      this.#revocations,
      (head.revoked ?? []).filter((one) => roll.revoked.has(one.writer) && known(one.by) !== undefined),
      ({ writer, by }) => `${writer} ${by}`,
    )
    if (certificates.length === this.#certificates.length && revocations.length === this.#revocations.length) return false
    await this.#keep(certificates, revocations)
    return true
  }

  async add(request: { readonly line: string; readonly name: string }, signer: Signer): Promise<KnownWriter> {
    const keys = parseWriterKeyLine(request.line)
    const print = dealerFingerprint(keys)
    const name = writerName.safeParse(request.name.trim())
    if (!name.success) throw new Failure('base.invalid', { detail: 'a writer has a name of 1 to 60 characters, without slashes' })
    if (this.#roll.active.has(print)) throw new Failure('storage.exists', { detail: 'this key is a writer of the vault already' })
    if (this.#roll.revoked.has(print))
      throw new Failure('storage.writer', {
        detail: 'this key was a writer once and was removed; a removal is for good',
        next: 'Make new keys on the other site, in an empty QUORATE_HOME.',
      })
    if ([...this.#roll.active.values()].some((one) => one.name === name.data))
      throw new Failure('storage.exists', { detail: `there is a writer ${name.data} already`, next: 'Give it another name.' })
    if (this.#certificates.length >= WRITERS_MAX)
      throw new Failure('api.limit', { detail: `a vault has at most ${WRITERS_MAX} certificates of writers` })
    const certificate = certifyWriter({ vault: this.#parts.vault, keys, name: name.data }, signer)
    await this.#keep([...this.#certificates, certificate], this.#revocations)
    return this.#roll.active.get(print)!
  }

  /** `which` = fingerprint, its first digits, or name. */
  async remove(which: string, signer: Signer): Promise<KnownWriter> {
    const found = [...this.#roll.active.values()].filter(
      ({ fingerprint, name }) => name === which || (which.length >= 8 && fingerprint.startsWith(which)),
    )
    const [writer] = found
    if (writer === undefined || found.length > 1)
      throw new Failure('storage.absent', {
        detail: 'there is no such writer, or more than one',
        next: 'Look at them: quorate writer list',
      })
    const revocation = revokeWriter({ vault: this.#parts.vault, writer: writer.fingerprint }, signer)
    const after = this.#rollOf([], [revocation])
    if (after.active.has(writer.fingerprint))
      throw new Failure('storage.writer', {
        detail: 'only those who stand above a writer can remove it: who certified it, and the dealer of the recovery sheet',
        next: 'Remove it on the site that added it.',
      })
    await this.#keep(this.#certificates, [...this.#revocations, revocation])
    return writer
  }

  async #keep(certificates: readonly WriterCertificate[], revocations: readonly WriterRevocation[]): Promise<void> {
    const added = rfc3339(this.#parts.clock.now())
    await this.#parts.db.transaction(async (tx) => {
      for (const certificate of certificates)
        await tx
          .insertInto('writer_certificate')
          .values({
            fingerprint: dealerFingerprint(decodeKeys(certificate.keys)),
            by_whom: certificate.by,
            certificate: JSON.stringify(certificate),
            added,
          })
          .onConflict((oc) => oc.doNothing())
          .execute()
      for (const revocation of revocations)
        await tx
          .insertInto('writer_revocation')
          .values({ fingerprint: revocation.writer, by_whom: revocation.by, revocation: JSON.stringify(revocation), added })
          .onConflict((oc) => oc.doNothing())
          .execute()
    })
    this.#certificates = certificates
    this.#revocations = revocations
    this.#roll = this.#rollOf([], [])
    this.#accept()
  }

  #rollOf(certificates: readonly WriterCertificate[], revocations: readonly WriterRevocation[]): WriterRoll {
    return writerRoll({
      vault: this.#parts.vault,
      root: this.root,
      certificates: [...this.#certificates, ...certificates],
      revocations: [...this.#revocations, ...revocations],
    })
  }

  /** What a revoked writer dealt before stays readable: the catalogue names it, and heads of others name the catalogue. */
  #accept(): void {
    const known = new Set(this.dealers.map((keys) => dealerFingerprint(keys)))
    for (const { fingerprint, keys } of [...this.#roll.active.values(), ...this.#roll.revoked.values()])
      if (!known.has(fingerprint)) this.dealers.push(keys)
  }
}

function merged<T>(known: readonly T[], more: readonly T[], key: (one: T) => string): readonly T[] {
  const all = new Map(known.map((one) => [key(one), one]))
  for (const one of more) if (!all.has(key(one))) all.set(key(one), one)
  return [...all.values()].slice(0, WRITERS_MAX)
}
