// The contract, within reach of drivers that live one folder deeper.
export type * from '../location.ts'
