// What a program of the crash test writes down.
import type { AuditEvent } from '#audit'

export function opened(n: number): AuditEvent {
  const actor = { kind: 'person', id: String(n % 7), name: `Person ${n % 7}` } as const
  return { kind: 'open', actor, outcome: 'allowed', object: { id: n.toString(16).padStart(32, '0'), version: 1, path: `/${n}` } }
}
