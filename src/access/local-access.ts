// The door of a site that one person runs: the local operator may do everything, everybody else nothing.
import type { AuditLog } from '#audit'
import { Failure } from '#base'
import type { Alarms } from '#alarms'
import type { SiteStorage } from '#storage'
import { alarmDoor } from './door-alarms.ts'
import type { Access, Actor, Door } from './door.ts'
import { auditView } from './door-audit.ts'

export function createAccess(storage: SiteStorage, audit: AuditLog, alarms: Alarms): Access {
  return { enter: (actor) => createDoor({ storage, audit, alarms }, actor) }
}

interface Rooms {
  readonly storage: SiteStorage
  readonly audit: AuditLog
  readonly alarms: Alarms
}

function createDoor({ storage, audit, alarms }: Rooms, actor: Actor): Door {
  if (actor.kind !== 'local') throw new Failure('access.denied', { detail: 'only the person who runs this site may use it yet' })
  const by = actor.name
  return {
    ...auditView(audit, actor),
    ...alarmDoor(alarms, by),
    site: () => storage.site(),
    status: (request) => storage.status(request),
    createVault: (request) => storage.createVault(request),
    addLocation: (request) => storage.addLocation(request),
    testLocation: (request) => storage.testLocation(request),
    setTraits: (request) => storage.setTraits(request),
    change: () => storage.change(),
    previewChange: (request) => storage.previewChange(request),
    requestChange: (request) => storage.requestChange(request),
    steerChange: (request) => storage.steerChange(request),
    list: (request) => storage.list(request),
    stat: (request) => storage.stat(request),
    openToWrite: (request) => storage.openToWrite(request),
    uploads: (request) => storage.uploads(request),
    beginUpload: (request) => storage.beginUpload(request, actor.name),
    upload: (id) => storage.upload(id),
    wakeUpload: (id) => storage.wakeUpload(id),
    takeUpload: (id, proof) => storage.takeUpload(id, proof),
    sendUpload: (id, from, body) => storage.sendUpload(id, from, body),
    finishUpload: (id, request) => storage.finishUpload(id, request),
    cancelUpload: (id) => storage.cancelUpload(id),
    openToRead: (request) => storage.openToRead(request),
    createFolder: (request) => storage.createFolder(request),
    move: (request) => storage.move({ ...request, by }),
    copy: (request) => storage.copy({ ...request, by }),
    remove: async (request) => {
      if (request.now === true || request.version !== undefined) return { removed: await storage.remove({ ...request, by }), trash: null }
      const { removed, id } = await storage.moveToTrash({ ...request, by })
      return { removed, trash: id }
    },
    trash: (request) => storage.trash(request),
    restoreTrash: (request) => storage.restoreTrash(request),
    emptyTrash: (request) => storage.emptyTrash({ ...request, by }),
    restoreVersion: (request) => storage.restoreVersion(request),
    keeping: (request) => storage.keeping(request),
    keepingRules: () => storage.keepingRules(),
    setKeeping: (request) => storage.setKeeping({ ...request, by }),
    planPurge: () => storage.planPurge(),
    purge: () => storage.purge({ by }),
    planMoment: (request) => storage.planMoment(request),
    restoreMoment: (request) => storage.restoreMoment({ ...request, by }),
    deletions: (request) => storage.deletions(request),
    deletionRecord: (request) => storage.deletionRecord(request),
    versions: (request) => storage.versions(request),
    placement: (request) => storage.placement(request),
    fragment: (request) => storage.fragment(request),
    scrub: (request) => storage.scrub(request),
    health: () => storage.health(),
    setHealth: (request) => storage.setHealth(request),
    healthHistory: (request) => storage.healthHistory(request),
    plan: (request) => storage.plan(request),
    repair: (request) => storage.repair(request),
    previewImport: (request) => storage.previewImport(request),
    importFiles: (request) => storage.importFiles(request),
    drill: (request) => storage.drill(request),
    lastDrill: () => storage.lastDrill(),
    verifyDrill: (request) => storage.verifyDrill(request),
    makeKit: (request) => storage.makeKit(request),
    restore: (request) => storage.restore(request),
    join: (request) => storage.join(request),
    writerKey: (request) => storage.writerKey(request),
    writers: () => storage.writers(),
    addWriter: (request) => storage.addWriter(request),
    removeWriter: (request) => storage.removeWriter(request),
    acknowledge: (request) => storage.acknowledge(request),
    recover: (request) => storage.recover(request),
    tasks: async () => storage.tasks(),
    task: async (id) => storage.task(id),
    cancelTask: (id) => storage.cancelTask(id),
    events: (signal) => storage.events(signal),
  }
}
