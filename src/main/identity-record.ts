// What happens to people becomes entries of the audit log, in the transaction that makes it so.
import type { AuditEvent, AuditLog } from '#audit'
import type { AuditKind } from '#contract'
import { type IdentityEvent, type IdentityEventKind, type IdentityEvents, nameOfPerson } from '#identity'
import type { SiteLog } from './log.ts'

const KINDS: Readonly<Record<IdentityEventKind, AuditKind>> = {
  'sign-in': 'sign-in',
  'sign-out': 'sign-out',
  'end-sessions': 'sign-out',
  invite: 'person',
  join: 'person',
  renew: 'person',
  'change-roles': 'person',
  leave: 'person',
  'make-group': 'group',
  'remove-group': 'group',
  'add-member': 'group',
  'remove-member': 'group',
  'add-credential': 'credential',
  'remove-credential': 'credential',
}

export function identityRecord(audit: AuditLog, log: SiteLog): IdentityEvents {
  return {
    async record(tx, event) {
      const { subject } = event
      const entry = entryOf(event, subject === undefined ? undefined : await nameOfPerson(tx, subject))
      // A refusal changes nothing, so it needs no transaction; outside of one, those that repeat are counted.
      if (event.outcome === 'refused') {
        audit.append(entry).catch((error: unknown) => {
          log.error({ error: String(error) }, 'a refusal could not be written to the audit log')
        })
        return
      }
      await audit.appendIn(tx, [entry])
      if (subject !== undefined) audit.revoked(subject)
    },
  }
}

function entryOf({ kind, actor, subject, outcome, code, facts }: IdentityEvent, name = ''): AuditEvent {
  const said = Object.entries(facts ?? {}).map(([name, value]) => [name, typeof value === 'object' ? value.join(', ') : value])
  return {
    kind: KINDS[kind],
    actor:
      actor.kind === 'local'
        ? { kind: 'local', id: actor.name, name: actor.name }
        : actor.kind === 'person'
          ? { kind: 'person', id: actor.id, name: actor.name }
          : { kind: 'nobody', id: '', name: '' },
    ...(subject === undefined || (actor.kind === 'person' && actor.id === subject) ? {} : { subject: { id: subject, name } }),
    outcome,
    ...(code === undefined ? {} : { code }),
    detail: { what: kind, ...Object.fromEntries(said) },
  }
}
