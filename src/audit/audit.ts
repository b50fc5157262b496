// The face of the audit room: the log that cannot be rewritten unnoticed (docs/spec/audit.md).
export { type AuditLog, type AuditOptions, openAudit } from './audit-log.ts'
export type { AuditActor, AuditEvent } from './event.ts'
export { auditMigrations, type AuditTables } from './tables.ts'
