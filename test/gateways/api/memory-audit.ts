// The audit log of the door in memory: one entry, so that the gateway has something to carry. The real one is tried in audit.test.ts.
import type { Door } from '#access'
import { Failure, utf8 } from '#base'
import type { AuditHead } from '#contract'

export type MemoryAudit = Pick<
  Door,
  | 'auditHead'
  | 'auditEntries'
  | 'auditReceipt'
  | 'auditConsistency'
  | 'auditFile'
  | 'auditVerify'
  | 'auditPersonal'
  | 'auditExport'
  | 'auditErase'
  | 'auditRestart'
>

export function memoryAudit(note: (name: string) => void, at: string): MemoryAudit {
  const head: AuditHead = {
    origin: 'quorate/log/memory',
    size: 1,
    root: 'A'.repeat(43) + '=',
    at,
    vkeys: [],
    checkpoint: 'head\n',
    state: 'sound',
    problem: null,
  }
  return {
    async auditHead() {
      note('auditHead')
      return head
    },
    async auditEntries() {
      note('auditEntries')
      return { entries: [{ index: 0, at, kind: 'start', actor: 'site', outcome: 'done', personal: {}, erased: null }], next: null }
    },
    async auditReceipt({ index }) {
      note('auditReceipt')
      if (index > 0) throw new Failure('audit.absent')
      return utf8('receipt\n')
    },
    async auditConsistency({ from }) {
      note('auditConsistency')
      return { from, size: 1, proof: [], checkpoint: head.checkpoint }
    },
    async auditFile({ path }) {
      note('auditFile')
      return path === 'checkpoint' ? utf8(head.checkpoint) : path === 'tile/0/000.p/1' ? new Uint8Array(32) : undefined
    },
    async *auditVerify() {
      note('auditVerify')
      yield { kind: 'progress', done: 1, total: 1 } as const
      yield { kind: 'verdict', size: 1, root: head.root, entries: 1, opened: 1, erased: 0, problem: null } as const
    },
    async *auditPersonal() {
      note('auditPersonal')
      yield utf8('{}\n')
    },
    async auditExport() {
      note('auditExport')
      return { folder: '/home/audit', size: 1 }
    },
    async auditErase() {
      note('auditErase')
      return { entries: 0 }
    },
    async auditRestart() {
      note('auditRestart')
      return head
    },
  }
}
