// The audit log behind the door: what may be read of it, and what may be done with it.
import type { AuditActor, AuditLog } from '#audit'
import type { AuditConsistency, AuditExport, AuditHead, AuditFilter, AuditPage, AuditStep, EraseRequest } from '#contract'
import { Failure } from '#base'
import type { Authority } from './authority.ts'
import type { Actor } from './door.ts'

export interface AuditView {
  /** The signed head, the keys of the log, and whether it is sound. */
  auditHead(): Promise<AuditHead>
  /** Newest first. */
  auditEntries(request: AuditFilter): Promise<AuditPage>
  /** One entry with its inclusion proof and the signed head. */
  auditReceipt(request: { readonly index: number }): Promise<Uint8Array>
  auditConsistency(request: { readonly from: number }): Promise<AuditConsistency>
  /** A file of the log (c2sp.org/tlog-tiles); undefined for what it does not have. */
  auditFile(request: { readonly path: string }): Promise<Uint8Array | undefined>
  /** Recomputes the whole log; the last step is the verdict. */
  auditVerify(request: { readonly signal?: AbortSignal | undefined }): AsyncIterable<AuditStep>
  /** The personal fields beside the entries, as lines of JSON. */
  auditPersonal(request: { readonly signal?: AbortSignal | undefined }): AsyncIterableIterator<Uint8Array>
  /** Copies the log as static files into the home, without personal fields. */
  auditExport(request: { readonly signal?: AbortSignal | undefined }): Promise<AuditExport>
  /** Erases personal fields; the entries stay, and say so. */
  auditErase(request: EraseRequest): Promise<{ entries: number }>
  /** A new log, where the one before cannot be continued. */
  auditRestart(request: { readonly reason: string }): Promise<AuditHead>
}

/** The log for those whose work it is to read it. */
export function auditDoor({ audit, authority }: { readonly audit: AuditLog; readonly authority: Authority }): AuditView {
  const by = auditActor(authority.actor)
  const read = async <T>(work: () => Promise<T>): Promise<T> => {
    await authority.demandAble('audit', 'records')
    return work()
  }
  return {
    auditHead: () => read(() => audit.head()),
    auditEntries: (request) => read(() => audit.entries(request)),
    auditReceipt: ({ index }) => read(() => audit.inclusion(index)),
    auditConsistency: ({ from }) => read(() => audit.consistency(from)),
    auditFile: ({ path }) => read(() => audit.file(path)),
    auditVerify: async function* (request) {
      await authority.demandAble('audit', 'records')
      yield* audit.verify(request)
    },
    auditPersonal: async function* ({ signal }) {
      await authority.demandAble('audit', 'records')
      // Names leave the site in bulk: that is an event of its own.
      const { index } = await audit.append({
        kind: 'audit',
        actor: by,
        outcome: 'allowed',
        detail: { what: 'personal fields of all entries' },
      })
      if (signal?.aborted === true) throw new Failure('base.cancelled', { detail: `Cancelled after entry ${index} was written.` })
      yield* audit.personal(signal)
    },
    auditExport: async (request) => {
      await authority.demandAble('audit', 'run')
      return { ...(await audit.exportFiles(request)) }
    },
    auditErase: async (request) => {
      await authority.demandAble('erase', 'protection')
      return { ...(await audit.erase({ ...request, actor: by })) }
    },
    auditRestart: async ({ reason }) => {
      await authority.demandAble('audit', 'run')
      return audit.restart({ reason, actor: by })
    },
  }
}

/** An actor in the words of the log. */
export function auditActor(actor: Actor): AuditActor {
  return actor.kind === 'local' ? { kind: 'local', id: actor.name, name: actor.name } : { kind: 'person', id: actor.id, name: actor.name }
}
