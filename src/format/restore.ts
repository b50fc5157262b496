// A whole, slow and thorough read of one object from whatever files there are: for recovery and for judging every record of every file.
import { concat, Failure, toHex } from '#base'
import { sha256Stream, type VerifyingKeys } from '#crypto/primitives'
import { createArena } from './arena.ts'
import { type Asked, assemble, type AssemblyReport, type Blame, type Member } from './assembly.ts'
import { ChunkOpener, type ReadRecord } from './chunks.ts'
import { fetchFrame, type FragmentFile } from './frame.ts'
import { dealerFingerprint, type DealerVerdict, type Meta, parseMeta, verifyMeta } from './meta.ts'
import { paddedLength } from './padding.ts'

export interface RestoreRequest {
  readonly files: readonly FragmentFile[]
  readonly asked?: Asked
  /** Public keys of dealers that the vault knows; without them the reader says "not verified". */
  readonly dealers?: readonly VerifyingKeys[]
}

export interface Restored {
  readonly report: AssemblyReport
  /** Frames and records together, each file once. */
  readonly blames: readonly Blame[]
  readonly meta: Meta | undefined
  readonly dealer: DealerVerdict
  /** Why the object could not be read to its end. */
  readonly failure: Failure | undefined
  /** Files whose records went into the answer. */
  readonly from: readonly string[]
}

/**
 * Streams the data to `sink` chunk by chunk after its tag; the answer says whether the end was right.
 * What was sunk counts only when `failure` is undefined.
 */
export async function restore(request: RestoreRequest, sink: (bytes: Uint8Array) => Promise<void> | void): Promise<Restored> {
  const frames = await Promise.all(request.files.map((file) => fetchFrame(file, { front: true })))
  const report = assemble(frames, request.asked)
  const blames = new Map(report.blames.map((blame) => [blame.frame, blame]))
  const from = new Set<string>()
  const answer = (failure: Failure | undefined, meta?: Meta, dealer: DealerVerdict = 'not-verified'): Restored => ({
    report,
    blames: [...blames.values()],
    meta,
    dealer,
    failure,
    from: [...from].toSorted(),
  })
  const { chosen } = report
  if (chosen === undefined) return answer(report.failure)
  const { common, totals } = chosen
  let parsed
  try {
    parsed = parseMeta(chosen.meta)
  } catch (error) {
    if (error instanceof Failure) return answer(error)
    throw error
  }
  const { meta } = parsed
  const known = request.dealers?.find((keys) => dealerFingerprint(keys) === meta.dealer) ?? request.dealers?.[0]
  if (known !== undefined && !verifyMeta(parsed, known, chosen.keys.contentId)) return answer(new Failure('format.signature'), meta)
  if (paddedLength(meta.size) !== totals.paddedLen)
    return answer(new Failure('format.content', { detail: 'the padded length does not fit the size' }), meta)

  const rows = Math.max(common.k, chosen.members.length)
  const arena = await createArena({ suite: common.suite, k: common.k, rows, chunkLog2: common.chunkLog2, slots: 1 })
  const opener = new ChunkOpener(arena, chosen)
  const slot = arena.slots[0]!
  const hash = sha256Stream()
  const fileOf = (member: Member): FragmentFile => request.files[frames.indexOf(member.frame)]!
  let left = meta.size
  for (let j = 0; j < totals.m; j++) {
    const records: ReadRecord[] = []
    await Promise.all(
      chosen.members.map(async (member, row) => {
        const record = { ...member, row }
        const { head, shape } = member.variant
        await fileOf(member).read(head.bytes.length + shape.recordOffset(j), opener.recordView(slot, row, j))
        if (opener.judge(slot, record, j) === 'bad') blames.set(member.frame, { frame: member.frame, reason: `record ${j} is damaged` })
        else records.push(record)
      }),
    )
    const opened = opener.open(slot, records, j)
    if (opened === undefined)
      return answer(new Failure('format.record', { detail: `record ${j} cannot be read from ${common.k} locations` }), meta)
    for (const record of opened.used) from.add(record.frame.file)
    const data = opened.plain.subarray(0, Math.min(left, opened.plain.length))
    if (opened.plain.subarray(data.length).some((byte) => byte !== 0))
      return answer(new Failure('format.content', { detail: 'the padding is not zero' }), meta)
    left -= data.length
    hash.update(data)
    await sink(data.slice())
  }
  arena.kernel.wipe()
  if (left !== 0 || toHex(hash.digest()) !== meta.sha256) return answer(new Failure('format.content'), meta)
  return answer(undefined, meta, known === undefined ? 'not-verified' : 'verified')
}

/** `restore` into one byte string; for small objects and tests. */
export async function restoreBytes(request: RestoreRequest): Promise<Restored & { readonly data: Uint8Array }> {
  const parts: Uint8Array[] = []
  const restored = await restore(request, (bytes) => void parts.push(bytes))
  return { ...restored, data: restored.failure === undefined ? concat(...parts) : new Uint8Array(0) }
}
