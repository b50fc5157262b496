// The face of the lowest floor: no domain words here.
export * from './bytes.ts'
export * from './clock.ts'
export { CODES, STATUS_OF_KIND, type FailureCode, type FailureKind } from './codes.ts'
export * from './failure.ts'
export { limits } from './limits.ts'
export { crc32, Zip } from './zip.ts'
export { SecretBytes } from './secret-bytes.ts'
export * from './traces.ts'
