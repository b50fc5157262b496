// What the other rooms say happened, and how it becomes an entry of the log.
import { assert, type FailureCode, rfc3339, toHex } from '#base'
import type { AuditKind, AuditOutcome } from '#contract'
import { random } from '#crypto/primitives'
import { commitPersonal, encodeLeaf, type Leaf, newSalt, type Personal, personalBytes } from '#format/log'

export interface AuditActor {
  readonly kind: 'local' | 'person' | 'site' | 'nobody'
  /** Of a person: their id, which is never given to another. Of the person at the machine: their user name. */
  readonly id: string
  readonly name: string
}

export interface AuditEvent {
  readonly kind: AuditKind
  readonly actor: AuditActor
  readonly outcome: AuditOutcome
  readonly code?: FailureCode | undefined
  /** `id` is the random id of the object, 32 hex digits. */
  readonly object?: { readonly id: string; readonly version: number; readonly path: string } | undefined
  /** A path where no object is: of a folder, or of what is not there. */
  readonly path?: string | undefined
  /** The person whom it is about, where that is another than the actor. */
  readonly subject?: { readonly id: string; readonly name: string } | undefined
  /** Small, and personal: it lies beside the log. Texts are cut at 1000 characters. */
  readonly detail?: { readonly [name: string]: string | number } | undefined
}

const TEXT_CHARS_MAX = 1000
const PATH_CHARS_MAX = 4096
const DETAILS_MAX = 16

/** An event that is known to fit: what is left is its place, its time and its pseudonyms. */
export interface Prepared {
  readonly event: AuditEvent
  readonly at: string
  readonly personal: Personal
  readonly count: number
}

/** Throws for what no entry can say, before anything waits for it. */
export function prepare(event: AuditEvent, ms: number, count = 1): Prepared {
  const personal = personalOf(event)
  const prepared = { event, at: rfc3339(ms), personal, count }
  personalBytes(personal)
  const sample = `person:${'0'.repeat(32)}`
  encodeLeaf(leafOf(prepared, { index: 0, actor: sample, subject: sample, salt: newSalt() }))
  return prepared
}

export interface Place {
  readonly index: number
  readonly actor: string
  readonly subject: string | undefined
  readonly salt: Uint8Array
}

export function leafOf({ event, at, personal, count }: Prepared, { index, actor, subject, salt }: Place): Leaf {
  const { kind, object, outcome, code } = event
  return {
    v: 1,
    index,
    at,
    kind,
    actor,
    ...(event.subject === undefined || subject === undefined ? {} : { subject }),
    ...(object === undefined ? {} : { object: { id: object.id, version: object.version } }),
    outcome,
    ...(code === undefined ? {} : { code }),
    ...(count > 1 ? { count } : {}),
    personal: commitPersonal(salt, personal),
  }
}

/** `local:` and so on; random, so that nothing of the person is in it. */
export function newPseudonym(kind: 'local' | 'person'): string {
  return `${kind}:${toHex(random(16))}`
}

function personalOf({ actor, object, path, subject, detail }: AuditEvent): Personal {
  const where = object?.path ?? path
  const details = Object.entries(detail ?? {})
  assert(details.length <= DETAILS_MAX, 'an audit event has few details')
  return {
    ...(actor.kind === 'site' ? {} : { actor: { id: cut(actor.id), name: cut(actor.name) } }),
    ...(subject === undefined ? {} : { subject: { id: cut(subject.id), name: cut(subject.name) } }),
    ...(where === undefined ? {} : { path: cut(where, PATH_CHARS_MAX) }),
    ...(details.length === 0
      ? {}
      : { detail: Object.fromEntries(details.map(([name, value]) => [name, typeof value === 'string' ? cut(value) : finite(value)])) }),
  }
}

function cut(text: string, most = TEXT_CHARS_MAX): string {
  const whole = text.replaceAll('\0', '\uFFFD')
  return (whole.length > most ? `${whole.slice(0, most)}…` : whole).toWellFormed()
}

function finite(value: number): number {
  assert(Number.isFinite(value), 'a detail is a finite number')
  return value
}
