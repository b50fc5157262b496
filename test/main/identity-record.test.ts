// What happens to people is in the audit log with the change, and only with it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { auditMigrations, type AuditTables, openAudit } from '#audit'
import { Failure, isFailure, systemClock } from '#base'
import { openDatabase } from '#database'
import { identityMigrations, type IdentityTables, openIdentity } from '#identity'
import { identityRecord } from '../../src/main/identity-record.ts'
import { FROM, LOCAL, PASSWORD } from '../identity/support.ts'

const home = mkdtempSync(join(tmpdir(), 'quorate-record-'))
after(() => rmSync(home, { recursive: true, force: true }))

test('an invitation, changed roles and a leaver are entries with their names; refused sign-ins are counted; a log that cannot be written undoes the change', async () => {
  const db = await openDatabase<AuditTables & IdentityTables>({
    file: join(home, 'site.sqlite'),
    migrations: { ...auditMigrations, ...identityMigrations },
  })
  const audit = await openAudit({ db, clock: systemClock, home })
  const errors: object[] = []
  const log = { info: () => undefined, warn: () => undefined, error: (fields: object) => void errors.push(fields) }
  const identity = await openIdentity({ database: db, home, events: identityRecord(audit, log) })
  const { person } = await identity.invite(LOCAL, { name: 'Ada Wolf', account: 'ada', roles: ['auditor'] })
  await identity.changeRoles(LOCAL, person.id, ['researcher'])
  for (let n = 0; n < 3; n++)
    await assert.rejects(
      identity.byPassword({ account: 'ada', password: PASSWORD, code: '000000', ...FROM }),
      (error) => error instanceof Failure,
    )
  await identity.leave(LOCAL, person.id)

  const { entries } = await audit.entries({})
  const done = entries.toReversed().filter(({ outcome }) => outcome === 'done')
  assert.deepEqual(
    done.map(({ kind, personal }) => [kind, personal?.detail?.['what'], personal?.actor?.name, personal?.subject?.name]),
    [
      ['person', 'invite', LOCAL.name, 'Ada Wolf'],
      ['person', 'change-roles', LOCAL.name, 'Ada Wolf'],
      ['person', 'leave', LOCAL.name, 'Ada Wolf'],
    ],
  )
  const refused = entries.filter(({ outcome }) => outcome === 'refused')
  assert.equal(refused.length, 1)
  assert.deepEqual([refused[0]!.kind, refused[0]!.actor, refused[0]!.code], ['sign-in', 'nobody', 'identity.refused'])

  // Behind our back the end of the log is gone.
  await db.kysely.deleteFrom('audit_edge').execute()
  await assert.rejects(identity.invite(LOCAL, { name: 'Ben', account: 'ben', roles: ['auditor'] }), (error) =>
    isFailure(error, 'audit.tampered'),
  )
  assert.deepEqual(
    (await identity.people()).map(({ name }) => name),
    ['Ada Wolf'],
  )
  assert.deepEqual(errors, [])
  await audit.close()
  await db.close()
})
