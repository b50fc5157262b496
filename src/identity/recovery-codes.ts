// Recovery codes stand in for the authenticator app once each. 80 random bits: too many to guess, few enough to type.
import { randomBytes } from 'node:crypto'
import { base32 } from './totp.ts'

const CODES = 10
const CODE_BYTES = 10

/** `ABCD-EFGH-IJKL-MNOP` */
export function newRecoveryCodes(): readonly string[] {
  return Array.from({ length: CODES }, () => base32(randomBytes(CODE_BYTES)).match(/.{4}/g)!.join('-'))
}

/** As it is digested: however it was typed. */
export function normalRecoveryCode(typed: string): string {
  return typed.slice(0, 100).toUpperCase().replace(/[\s-]/g, '').replaceAll('0', 'O').replaceAll('1', 'I')
}
