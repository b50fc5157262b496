// Deals bytes into fragment files in memory, for tests.
import { concat, toHex } from '#base'
import { random, sha256, type Signer, signer } from '#crypto/primitives'
import { createArena, Dealer, dealerFingerprint, encodeMeta, newId, paddedLength, type DealSpec } from '#format'

export const SIGNER: Signer = signer({ mldsa65: random(32), ed25519: random(32) })

export interface DealtFiles {
  readonly files: Uint8Array[]
  readonly dealer: Dealer
  readonly commitments: readonly string[]
}

/**
 * @param restarts records at which a new run begins before they are dealt (each is dealt twice, the first time in vain)
 * @param about path of the META and who signs it
 */
export async function dealBytes(
  data: Uint8Array,
  spec: Partial<DealSpec> = {},
  restarts: readonly number[] = [],
  about: { readonly path?: string; readonly signer?: Signer } = {},
): Promise<DealtFiles> {
  const { path = '/x', signer: dealerKeys = SIGNER } = about
  const full: DealSpec = { suite: 1, k: 2, n: 3, chunkLog2: 16, rng: 0, vault: newId(), object: newId(), version: 1, ext: [], ...spec }
  const arena = await createArena({ suite: full.suite, k: full.k, rows: full.n, chunkLog2: full.chunkLog2, slots: 1 })
  const dealer = new Dealer(arena, full)
  const slot = arena.slots[0]!
  const records: Uint8Array[][] = []
  const padded = new Uint8Array(paddedLength(data.length))
  padded.set(data)
  const pending = [...restarts]
  for (let at = 0; at < padded.length; at += dealer.chunkBytes) {
    const piece = padded.subarray(at, at + dealer.chunkBytes)
    dealer.plain(slot).set(piece)
    if (pending[0] === dealer.records) {
      pending.shift()
      const j = dealer.records
      if (piece.length === dealer.chunkBytes && at + piece.length < padded.length) {
        dealer.deal(slot, piece.length, false)
        dealer.newRun(j)
        dealer.plain(slot).set(piece)
      } else dealer.newRun()
    }
    records.push(dealer.deal(slot, piece.length, at + piece.length === padded.length).map((record) => record.slice()))
  }
  const meta = encodeMeta(
    {
      path,
      type: 'application/octet-stream',
      created: '2026-01-02T03:04:05Z',
      modified: '2026-01-02T03:04:05Z',
      size: data.length,
      sha256: toHex(sha256(data)),
      dealer: dealerFingerprint(dealerKeys.keys),
      user: 'someone',
    },
    dealerKeys,
    dealer.contentId,
  )
  const finished = dealer.finish(meta)
  const files = dealer.heads.map((head, index) => concat(head.bytes, ...records.map((record) => record[index]!), finished[index]!.trailer))
  return { files, dealer, commitments: finished.map(({ commitment }) => commitment) }
}
