// The face of the log format (docs/spec/audit.md, c2sp.org/tlog-tiles): the tree, its proofs, its signed head, its entries.
export {
  type Checkpoint,
  type CheckpointSigner,
  checkpointText,
  logSigners,
  parseCheckpointText,
  signCheckpoint,
  type SignedCheckpoint,
  type Signer as CheckpointCosigner,
  verifyCheckpoint,
} from './checkpoint.ts'
export { copyLog, type CopyLogRequest, type LogTarget } from './copy-log.ts'
export {
  commitPersonal,
  encodeLeaf,
  encodePersonalLine,
  type Leaf,
  LEAF_BYTES_MAX,
  newSalt,
  opensPersonal,
  type Outcome,
  OUTCOMES,
  parseLeaf,
  parsePersonal,
  parsePersonalLine,
  type Personal,
  PERSONAL_BYTES_MAX,
  PERSONAL_LINE_BYTES_MAX,
  personalBytes,
  type PersonalLine,
} from './leaf.ts'
export {
  encodeKey,
  encodeNote,
  type Note,
  NOTE_BYTES_MAX,
  type NoteSignature,
  parseKey,
  parseNote,
  type VerifierKey,
  verifierKey,
} from './note.ts'
export { createProver, PROOF_HASHES_MAX, type Prover, type ReadTile, verifyConsistency, verifyInclusion } from './proofs.ts'
export { encodeReceipt, parseReceipt, type Receipt, RECEIPT_BYTES_MAX, verifyReceipt } from './receipt.ts'
export {
  allTiles,
  encodeBundle,
  hashAt,
  parseBundle,
  parseTilePath,
  TILE_HEIGHT,
  TILE_WIDTH,
  tilePath,
  tilesOf,
  type Tile,
} from './tiles.ts'
export { Edge, EMPTY_ROOT, HASH_BYTES, heightOf, leafHash, nodeHash, splitOf, subtreesOf } from './tree.ts'
export { type Head as LogHead, type LogFiles, type LogProblem, type LogVerdict, verifyLog, type VerifyLogRequest } from './verify-log.ts'
