// The face of access: the one door to bytes and decisions.
export { type AccessParts, createAccess } from './create-access.ts'
export type { Deed, DeedKind, Ledger, People } from './ledger.ts'
export type { Access, Actor, Door, Person, ReadGrant, WriteGrant } from './door.ts'
export { type AuditView, auditActor } from './door-audit.ts'
