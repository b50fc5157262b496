// Rebuilding the catalogue of a vault from its locations, when the database is lost (docs/spec/vault.md, "Restoring with nothing but k locations").
import { type Clock, Failure, rfc3339 } from '#base'
import type { LocationKind } from '#contract'
import type { VerifyingKeys } from '#crypto/primitives'
import type { Store } from './catalogue.ts'
import { Findings, type Progress } from './findings.ts'
import { dealerFingerprint, writerRoll } from '#format'
import { decodeKeys, encodeKeys, headHash, type VaultHead } from './head.ts'
import { knowHistory } from './history.ts'
import { applyReference } from './recover-catalogue.ts'
import { type FoundVault, keyOf } from './recover-head.ts'
import { adoptLater } from './recover-strays.ts'
import { adoptTold, toldNames } from './told-uploads.ts'
import type { Vault } from './vault.ts'

/** As many as a head can name. */
const FORMER_MAX = 64

/** What these keys are to the vault by its newest head. */
export function officeOf(head: VaultHead, keys: VerifyingKeys): 'dealer' | 'writer' | 'none' {
  const root = decodeKeys(head.root ?? head.dealer)
  const print = dealerFingerprint(keys)
  if (print === dealerFingerprint(root)) return 'dealer'
  const roll = writerRoll({ vault: head.vault, root, certificates: head.writers ?? [], revocations: head.revoked ?? [] })
  return roll.active.has(print) ? 'writer' : 'none'
}

/** Whether a site besides the one of the recovery sheet writes to the vault. */
export function severalWrite(head: VaultHead): boolean {
  const root = decodeKeys(head.root ?? head.dealer)
  return writerRoll({ vault: head.vault, root, certificates: head.writers ?? [], revocations: head.revoked ?? [] }).active.size > 1
}

/** Rows of the vault and its locations as the head tells them. */
export async function adoptHead(
  db: Store,
  found: FoundVault,
  given: {
    readonly name: string
    readonly clock: Clock
    readonly own: VerifyingKeys
    readonly locations: readonly { label: string; kind: LocationKind; config: string }[]
  },
): Promise<void> {
  const { head, headBytes, ids } = found
  const own = encodeKeys(given.own)
  const office = officeOf(head, given.own)
  // Whoever is no writer of the vault takes it over: those who wrote before are known as former dealers, and write no more.
  const others = office === 'none' ? [head.root ?? head.dealer, head.dealer, ...(head.writers ?? []).map(({ keys }) => keys)] : []
  const former = [...new Map([...others, ...head.formerDealers].map((dealer) => [keyOf(dealer), dealer])).values()]
    .filter((dealer) => keyOf(dealer) !== keyOf(own))
    .slice(0, FORMER_MAX)
  await db.transaction(async (tx) => {
    await tx
      .insertInto('vault')
      .values({
        id: 1,
        vault: head.vault,
        name: given.name,
        threshold: head.k,
        layout: head.layout,
        require_all: 0,
        created: head.created,
        next_sequence: 1,
        epoch: head.epoch,
        head_hash: headHash(headBytes),
        head_sequence: 0,
        head_at: head.created,
        former_dealers: JSON.stringify(former),
        state: 'recovering',
        running: 0,
      })
      .execute()
    if (office !== 'none') await keepWriters(tx, head, { office, added: rfc3339(given.clock.now()) })
    for (const [index, location] of given.locations.entries()) {
      const id = ids[index]!
      const { x, leaving } = head.locations.find((one) => one.id === id)!
      await tx
        .insertInto('location')
        .values({
          location: id,
          x,
          label: location.label,
          kind: location.kind,
          config: location.config,
          added: rfc3339(given.clock.now()),
          capabilities: null,
        })
        .execute()
      if (leaving === true)
        await tx.insertInto('leaving').values({ location: id, phase: 'leaving', leave_by: null, abandoned: 0 }).execute()
    }
  })
}

async function keepWriters(
  tx: Parameters<Parameters<Store['transaction']>[0]>[0],
  head: VaultHead,
  { office, added }: { readonly office: 'dealer' | 'writer'; readonly added: string },
): Promise<void> {
  const root = office === 'dealer' ? null : JSON.stringify(head.root ?? head.dealer)
  await tx
    .insertInto('head_state')
    .values({ id: 1, root, locations: JSON.stringify(head.locations) })
    .execute()
  for (const one of head.writers ?? [])
    await tx
      .insertInto('writer_certificate')
      .values({ fingerprint: dealerFingerprint(decodeKeys(one.keys)), by_whom: one.by, certificate: JSON.stringify(one), added })
      .onConflict((oc) => oc.doNothing())
      .execute()
  for (const one of head.revoked ?? [])
    await tx
      .insertInto('writer_revocation')
      .values({ fingerprint: one.writer, by_whom: one.by, revocation: JSON.stringify(one), added })
      .onConflict((oc) => oc.doNothing())
      .execute()
}

/** Reads the catalogue that the head names into the database, then looks for what was written after it. */
export async function rebuild(
  vault: Vault,
  head: VaultHead,
  request: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<Findings> {
  const findings = new Findings()
  await readCatalogue(vault, head, findings)
  await adoptLater(vault, { ...request, unfinished: await toldNames(vault) }, findings)
  // After that: what had come to its end is a file by now.
  const waiting = await adoptTold(vault)
  if (waiting > 0) vault.parts.log.info({ count: waiting }, 'unfinished uploads of the site before wait to be gone on with')
  return findings
}

/** Reads the parts of the catalogue in order, up to the first that cannot be read. */
export async function readCatalogue(vault: Vault, head: VaultHead, findings: Findings): Promise<void> {
  await vault.parts.places.checkAll()
  const references = [
    ...(head.catalogue === null ? [] : [{ ...head.catalogue, kind: 'snapshot' as const }]),
    ...head.segments.map((one) => ({ ...one, kind: 'segment' as const })),
  ]
  let sequence = references[0]?.sequence ?? 1
  for (const reference of references) {
    try {
      if (reference.sequence !== sequence)
        throw new Failure('format.content', { detail: `part ${sequence} of the catalogue is missing in the vault head` })
      await applyReference(vault, reference, findings)
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
      // While a place is silent the part may be there: nothing is given up.
      if (vault.parts.places.all.some(({ view }) => view.presence !== 'present' && view.presence !== 'empty')) throw error
      findings.add({
        location: '',
        path: 'catalogue',
        fragment: '',
        kind: 'unreadable',
        detail: `${error.message} Files are looked for one by one.`,
      })
      break
    }
    sequence += 1
  }
  await vault.parts.db.kysely
    .updateTable('vault')
    .set({ next_sequence: sequence, head_sequence: sequence - 1 })
    .execute()
  // Where no part could be read, names are known from now on.
  await knowHistory(vault.parts.db, rfc3339(vault.parts.clock.now()))
  // The name of the vault came with the catalogue.
  vault.row = await vault.parts.db.kysely.selectFrom('vault').selectAll().executeTakeFirstOrThrow()
}
