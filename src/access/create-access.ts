// Who enters gets a door that carries their authority, and nothing else of the site.
import type { Alarms } from '#alarms'
import type { AuditLog } from '#audit'
import type { Clock } from '#base'
import type { SiteStorage } from '#storage'
import { Authority } from './authority.ts'
import { alarmDoor } from './door-alarms.ts'
import { auditDoor } from './door-audit.ts'
import { fileDoor } from './door-files.ts'
import { grantDoor } from './door-grants.ts'
import { siteDoor, TaskBook, taskDoor } from './door-site.ts'
import { trashDoor } from './door-trash.ts'
import { uploadDoor } from './door-uploads.ts'
import type { Access, Actor, Door } from './door.ts'
import type { People } from './ledger.ts'
import { namesOf } from './names.ts'

export interface AccessParts {
  readonly storage: SiteStorage
  readonly audit: AuditLog
  readonly alarms: Alarms
  readonly people: People
  readonly clock: Clock
}

export function createAccess(parts: AccessParts): Access {
  const book = new TaskBook()
  return { enter: (actor) => createDoor(parts, actor, book) }
}

function createDoor(parts: AccessParts, actor: Actor, book: TaskBook): Door {
  const authority = new Authority({ ...parts, ledger: parts.audit }, actor)
  const given = { ...parts, ledger: parts.audit, authority, names: namesOf(parts.people), book }
  return {
    ...fileDoor(given),
    ...trashDoor(given),
    ...uploadDoor(given),
    ...grantDoor(given),
    ...siteDoor(given),
    ...taskDoor(given),
    ...auditDoor(given),
    ...alarmDoor(given),
  }
}
