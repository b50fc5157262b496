// The face of access: the one door to bytes and decisions.
export type { Access, Actor, Door, ReadGrant, WriteGrant } from './door.ts'
