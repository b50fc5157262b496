// Rebuilding the catalogue of a vault from its locations, when the database is lost (docs/spec/vault.md, "Restoring with nothing but k locations").
import { type Clock, Failure, rfc3339 } from '#base'
import type { LocationKind } from '#contract'
import type { VerifyingKeys } from '#crypto/primitives'
import type { Store } from './catalogue.ts'
import { Findings, type Progress } from './findings.ts'
import { encodeKeys, headHash, type VaultHead } from './head.ts'
import { knowHistory } from './history.ts'
import { applyReference } from './recover-catalogue.ts'
import { type FoundVault, keyOf } from './recover-head.ts'
import { adoptLater } from './recover-strays.ts'
import type { Vault } from './vault.ts'

/** As many as a head can name. */
const FORMER_MAX = 64

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
  const former = [head.dealer, ...head.formerDealers].filter((dealer) => keyOf(dealer) !== keyOf(own)).slice(0, FORMER_MAX)
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

/** Reads the catalogue that the head names into the database, then looks for what was written after it. */
export async function rebuild(
  vault: Vault,
  head: VaultHead,
  request: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<Findings> {
  const findings = new Findings()
  await readCatalogue(vault, head, findings)
  await adoptLater(vault, request, findings)
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
