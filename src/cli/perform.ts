// A wish becomes work with a site. Each command is loaded when it is needed.
import type { InitRequest } from './commands/init.ts'
import type { Wish } from './program.ts'
import type { Context } from './context.ts'

export type SiteWish = Exclude<Wish, { readonly kind: 'serve' | 'completion' | 'complete-path' | 'deletion-verify' | 'verify-audit' }>

/** Answers the exit code. */
export async function perform(
  context: Context,
  wish: SiteWish,
  asked: { readonly plan: InitRequest | undefined; readonly passphrase: string | undefined },
): Promise<number> {
  switch (wish.kind) {
    case 'init':
      return (await import('./commands/init.ts')).init(context, asked.plan!, asked.passphrase)
    case 'add-location':
      return (await import('./commands/location.ts')).addLocation(context, wish.spec, { label: wish.label })
    case 'change':
      return (await import('./commands/change.ts')).change(context, wish.request, wish.options)
    case 'replace-location':
      return (await import('./commands/change.ts')).replaceLocation(context, wish, wish.options)
    case 'change-status':
      return (await import('./commands/change.ts')).changeStatus(context)
    case 'steer-change':
      return (await import('./commands/change.ts')).steerChange(context, wish.state)
    case 'throttle-change':
      return (await import('./commands/change.ts')).throttleChange(context, wish.rate)
    case 'list-locations':
      return (await import('./commands/status.ts')).listLocations(context)
    case 'test-locations':
      return (await import('./commands/location.ts')).testLocations(context, wish.named)
    case 'put':
      return (await import('./commands/put.ts')).put(context, wish.names, wish.options)
    case 'uploads': {
      const { listUploads, removeUploads } = await import('./commands/uploads.ts')
      return wish.remove.length > 0 ? removeUploads(context, wish.remove) : listUploads(context)
    }
    case 'get':
      return (await import('./commands/get.ts')).get(context, wish.from, wish.to, wish.options)
    case 'cat': {
      const { cat, parseByteRange } = await import('./commands/cat.ts')
      return cat(context, wish.path, { range: wish.range === undefined ? undefined : parseByteRange(wish.range), version: wish.version })
    }
    case 'ls':
      return (await import('./commands/ls.ts')).ls(context, wish.path, wish.options)
    case 'move':
    case 'copy':
      return (await import('./commands/relocate.ts')).relocate(context, wish.kind, wish.names, { force: wish.force })
    case 'rm':
      return (await import('./commands/rm.ts')).rm(context, wish.paths, wish.options)
    case 'versions':
      return (await import('./commands/versions.ts')).versions(context, wish.path, wish.options)
    case 'trash-list':
      return (await import('./commands/trash.ts')).listTrash(context)
    case 'trash-restore':
      return (await import('./commands/trash.ts')).restoreTrash(context, wish.id, wish.to)
    case 'trash-empty':
      return (await import('./commands/trash.ts')).emptyTrash(context, wish.ids)
    case 'find':
      return (await import('./commands/find.ts')).find(context, wish.text, wish.path)
    case 'grant-list':
      return (await import('./commands/grant.ts')).listGrants(context, wish.path)
    case 'grant':
      return (await import('./commands/grant.ts')).grant(context, wish.path, wish.options)
    case 'keep':
      return (await import('./commands/keep.ts')).keep(context, wish.path, wish.options)
    case 'keep-list':
      return (await import('./commands/keep.ts')).listRules(context)
    case 'purge':
      return (await import('./commands/purge.ts')).purge(context, { dryRun: wish.dryRun })
    case 'restore-to':
      return (await import('./commands/restore-to.ts')).restoreTo(context, wish.path, wish.at, { dryRun: wish.dryRun })
    case 'deletion-list':
      return (await import('./commands/deletion.ts')).listDeletions(context)
    case 'deletion-record':
      return (await import('./commands/deletion.ts')).saveRecord(context, wish.id, wish.file)
    case 'audit-status':
      return (await import('./commands/audit.ts')).auditStatus(context)
    case 'audit-list':
      return (await import('./commands/audit.ts')).listAudit(context, wish.query, wish.count)
    case 'audit-export':
      return (await import('./commands/audit.ts')).exportAudit(context, wish.folder, { personal: wish.personal })
    case 'audit-proof':
      return (await import('./commands/audit.ts')).auditProof(context, wish.index, wish.file)
    case 'audit-checkpoint':
      return (await import('./commands/audit.ts')).auditCheckpoint(context, wish.file)
    case 'audit-verify':
      return (await import('./commands/audit.ts')).auditVerify(context)
    case 'audit-erase':
      return (await import('./commands/audit.ts')).auditErase(context, wish.request)
    case 'audit-restart':
      return (await import('./commands/audit.ts')).auditRestart(context, wish.reason)
    case 'people-list':
      return (await import('./commands/people.ts')).listPeople(context, { all: wish.all })
    case 'people-invite':
      return (await import('./commands/people.ts')).invite(context, wish.request)
    case 'people-link':
      return (await import('./commands/people.ts')).newLink(context, wish.person, wish.page)
    case 'people-roles':
      return (await import('./commands/people.ts')).setRoles(context, wish.person, wish.roles)
    case 'people-leave':
      return (await import('./commands/people.ts')).leave(context, wish.person, { yes: wish.yes })
    case 'token-list':
      return (await import('./commands/people.ts')).listTokens(context, wish.person)
    case 'token-make':
      return (await import('./commands/people.ts')).makeToken(context, wish.person, wish.request)
    case 'token-revoke':
      return (await import('./commands/people.ts')).revokeToken(context, wish.person, wish.id)
    case 'status':
      return (await import('./commands/status.ts')).status(context, { check: wish.check })
    case 'scrub':
      return (await import('./commands/long-work.ts')).scrub(context, { depth: wish.depth, location: wish.location })
    case 'describe-location':
      return (await import('./commands/health.ts')).describeLocation(context, wish.named, wish.options)
    case 'health':
      return (await import('./commands/health.ts')).health(context, wish.days)
    case 'health-schedule':
      return (await import('./commands/health.ts')).healthSchedule(context, wish.options)
    case 'plan':
      return (await import('./commands/plan.ts')).plan(context, wish.options)
    case 'repair':
      return (await import('./commands/long-work.ts')).repair(context, wish.path)
    case 'import':
      return (await import('./commands/import.ts')).importFiles(context, wish.place, wish.path, {
        check: wish.check,
        preview: wish.preview,
      })
    case 'drill':
      return (await import('./commands/drill.ts')).drill(context, wish.options)
    case 'verify-drill':
      return (await import('./commands/drill.ts')).verifyDrill(context, wish.file)
    case 'kit':
      return (await import('./commands/kit.ts')).kit(context, wish.folder, wish.options)
    case 'restore':
      return (await import('./commands/restore.ts')).restore(context, wish.folder, wish.options, asked.passphrase)
    case 'recover':
      return (await import('./commands/long-work.ts')).recover(context, wish.locations, asked.passphrase)
    case 'join':
      return (await import('./commands/writer.ts')).join(context, wish.locations, { dealer: wish.dealer, passphrase: asked.passphrase })
    case 'writer-key':
      return (await import('./commands/writer.ts')).writerKey(context, asked.passphrase)
    case 'writer-list':
      return (await import('./commands/writer.ts')).listWriters(context)
    case 'writer-add':
      return (await import('./commands/writer.ts')).addWriter(context, wish.file, wish.name)
    case 'writer-remove':
      return (await import('./commands/writer.ts')).removeWriter(context, wish.writer)
    case 'alarms-list':
    case 'alarms-acknowledge':
    case 'alarms-settings':
    case 'alarms-try':
    case 'alarms-messages':
    case 'breach-list':
    case 'breach-show':
      return (await import('./commands/alarms.ts')).performAlarms(context, wish)
    case 'writer-acknowledge':
      return (await import('./commands/writer.ts')).acknowledge(context, wish.alarm)
  }
}
