// The face of access: the one door to bytes and decisions.
export { createAccess } from './local-access.ts'
export type { Access, Actor, Door, Person, ReadGrant, WriteGrant } from './door.ts'
export { type AuditView, auditActor, auditView } from './door-audit.ts'
