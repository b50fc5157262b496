// The face of the fragment format (docs/spec/fragment.md).
export { type Arena, arenaBytes, type ArenaShape, createArena, type Slot } from './arena.ts'
export { assemble, type Asked, type Assembly, type AssemblyReport, type Blame, type Frame, type Member } from './assembly.ts'
export { canonicalBytes, canonicalJson, type Json, parseCanonical } from './canonical-json.ts'
export { ChunkDealer, type ChunkKeys, type ChunkTurn } from './chunk-dealer.ts'
export { ChunkOpener, type ReadRecord, type RecordVerdict } from './chunks.ts'
export {
  dealable,
  Dealer,
  type DealingBefore,
  type DealSpec,
  type FinishedFragment,
  newId,
  type SetBefore,
  wipeArena,
  zerosAfter,
} from './dealer.ts'
export { commitment, deriveKeys, ktag, recordNonce, recordPrefix } from './derive.ts'
export { fetchFrame, type FragmentFile, TAIL_BYTES } from './frame.ts'
export {
  type Common,
  dealtAnew,
  dealtFrom,
  encodeHead as encodeFragmentHead,
  type Head,
  parseCommon,
  parseHead,
  type Suite,
} from './header.ts'
export { dealerFingerprint, type DealerVerdict, encodeMeta, type Meta, parseMeta, type ParsedMeta, verifyMeta } from './meta.ts'
export { paddedLength, padme, RECORD_FRAME_BYTES, recordShape, type RecordShape, SALT_BYTES, TAG_BYTES } from './padding.ts'
export { restore, restoreBytes, type Restored, type RestoreRequest } from './restore.ts'
export { findUnfinished, type UnfinishedFragment, type UnfinishedDealing } from './unfinished.ts'
export { encodeTotals, encodeTrailer, FOOT_BYTES, parseFrame, saltOf, type Totals, trailerLength, type Variant } from './trailer.ts'
export {
  certificateBytes,
  CERTIFY,
  type KnownWriter,
  revocationBytes,
  REVOKE,
  type WriterCertificate,
  type WriterRevocation,
  type WriterRoll,
  writerRoll,
} from './writers.ts'
