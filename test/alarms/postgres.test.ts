// The alarms on the other database: rows, pages, messages and records as on the first.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { postgresServer } from '../database/postgres-server.ts'
import { condition, HOUR, mailSettings, room, SETTINGS } from './support.ts'

const server = postgresServer()
if (server !== undefined) {
  test('alarms come, are told, seen, over and kept, in PostgreSQL', async () => {
    await using at = await room({ place: server.place() })
    await at.alarms.setSettings({ ...SETTINGS, mail: mailSettings(1) })
    const lies = condition({ code: 'location.lies', stays: true, breach: true, numbers: { fragments: 2 } })
    await at.alarms.observe('vault', [lies, condition({ subject: 'b', severity: 'warning' })])
    at.alarms.ring(condition({ code: 'identity.wait', subject: '', culprits: [], numbers: { count: 1 } }))
    await at.alarms.settled()
    const first = await at.alarms.list({ limit: 2 })
    const second = await at.alarms.list({ limit: 2, after: first.next! })
    assert.equal(new Set([...first.alarms, ...second.alarms].map(({ id }) => id)).size, 3)
    assert.deepEqual(first.counts, { open: 3, acknowledged: 0, undelivered: 0 })
    // Nobody listens on that port.
    const due = await at.send()
    assert.equal(due, at.clock.ms + 30_000)
    const { deliveries } = await at.alarms.deliveries({ state: 'waiting' })
    assert.deepEqual(
      deliveries.map(({ attempts, state }) => [attempts, state]),
      [
        [1, 'waiting'],
        [1, 'waiting'],
        [1, 'waiting'],
      ],
    )
    assert.deepEqual(await at.outbox.troubles(at.clock.ms), { waiting: 3, failed: 0 })
    const { breaches } = await at.alarms.breaches()
    const record = await at.alarms.addToBreach({ id: breaches[0]!.id, by: 'Dora', field: 'persons', text: 'counted', number: 12 })
    assert.deepEqual(
      record.entries.map(({ number, field, count }) => [number, field, count]),
      [
        [1, 'begun', null],
        [2, 'persons', 12],
      ],
    )
    for (const { id } of [...first.alarms, ...second.alarms]) await at.alarms.acknowledge({ id, by: 'Ada', note: 'seen' })
    await at.alarms.observe('vault', [])
    at.clock.ms += HOUR
    await at.alarms.observe('vault', [])
    await at.alarms.look()
    assert.deepEqual(
      (await at.alarms.list({})).alarms.map(({ code }) => code),
      ['alarms.delivery'],
    )
    assert.equal((await at.alarms.list({ state: 'all' })).alarms.length, 4)
  })
}
