// The face of the room: the sharing kernel, its scalar twin for short keys, and the words of the primitives.
// The primitives themselves are `#crypto/primitives`, a Node and a browser twin.
export { type CombineJob, createKernel, type InterpolateJob, type Kernel, type KernelBuild, type SplitJob } from './kernel.ts'
export type { Primitives, Sha256, Signatures, Signer, SigningSeeds, SingleSigner, VerifyingKeys } from './primitives.ts'
export { combineBytes, interpolateBytes, lagrangeWeights, type SharesAt, splitBytes, type SplitBytes } from './shamir.ts'
