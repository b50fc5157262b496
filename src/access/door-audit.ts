// The audit log behind the door: what may be read of it, and what may be done with it.
import type { AuditActor, AuditLog } from '#audit'
import type { AuditConsistency, AuditHead, AuditFilter, AuditPage, AuditStep, EraseRequest } from '#contract'
import { Failure } from '#base'
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
  /** Erases personal fields; the entries stay, and say so. */
  auditErase(request: EraseRequest): Promise<{ entries: number }>
  /** A new log, where the one before cannot be continued. */
  auditRestart(request: { readonly reason: string }): Promise<AuditHead>
}

/** Every part of the log for whoever has this object: who gets it is decided before. */
export function auditView(audit: AuditLog, actor: Actor): AuditView {
  const by = auditActor(actor)
  return {
    auditHead: () => audit.head(),
    auditEntries: (request) => audit.entries(request),
    auditReceipt: ({ index }) => audit.inclusion(index),
    auditConsistency: ({ from }) => audit.consistency(from),
    auditFile: ({ path }) => audit.file(path),
    auditVerify: (request) => audit.verify(request),
    auditPersonal: async function* ({ signal }) {
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
    auditErase: async (request) => ({ ...(await audit.erase({ ...request, actor: by })) }),
    auditRestart: ({ reason }) => audit.restart({ reason, actor: by }),
  }
}

/** An actor in the words of the log. */
export function auditActor(actor: Actor): AuditActor {
  return actor.kind === 'local' ? { kind: 'local', id: actor.name, name: actor.name } : { kind: 'person', id: actor.id, name: actor.name }
}
