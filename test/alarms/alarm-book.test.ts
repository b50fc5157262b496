// Alarms come, last, go and come back; people hear of each once, and of the grave ones until somebody has seen them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '#base'
import { endOfQuiet } from '../../src/alarms/quiet.ts'
import { condition, DAY, HOUR, mailSettings, MINUTE, room, SETTINGS, stillClock, type Room } from './support.ts'

const MAIL = { ...SETTINGS, mail: mailSettings(25) }

async function told(at: Room): Promise<string[]> {
  const { deliveries } = await at.alarms.deliveries({})
  return deliveries.map(({ reason, code }) => `${reason} ${code}`).toReversed()
}

async function only(at: Room) {
  const { alarms } = await at.alarms.list({ state: 'all' })
  assert.equal(alarms.length, 1)
  return alarms[0]!
}

test('a cause that lasts is one alarm and one message, however often it is seen', async () => {
  await using at = await room()
  await at.alarms.setSettings(MAIL)
  for (let round = 0; round < 20; round++) {
    await at.alarms.observe('vault', [condition()])
    at.clock.ms += 10_000
  }
  const alarm = await only(at)
  assert.deepEqual(
    [alarm.state, alarm.times, alarm.code, alarm.culprits, alarm.since],
    ['open', 1, 'location.not-ours', ['West'], '2026-11-20T12:00:00.000Z'],
  )
  assert.deepEqual(await told(at), ['began location.not-ours'])
})

test('what goes away in time never rings, what stays rings', async () => {
  await using at = await room()
  await at.alarms.setSettings(MAIL)
  const away = condition({ code: 'location.unreachable', delayMs: 10 * MINUTE })
  await at.alarms.observe('vault', [away])
  at.clock.ms += 9 * MINUTE
  await at.alarms.observe('vault', [away])
  assert.deepEqual((await at.alarms.list({ state: 'all' })).alarms, [])
  await at.alarms.observe('vault', [])
  at.clock.ms += MINUTE
  await at.alarms.observe('vault', [away])
  at.clock.ms += 10 * MINUTE - 1
  await at.alarms.observe('vault', [away])
  assert.deepEqual(await told(at), [])
  at.clock.ms += 1
  await at.alarms.observe('vault', [away])
  assert.deepEqual(await told(at), ['began location.unreachable'])
  // It is known to be away for long already: a restart does not begin the wait anew.
  await at.alarms.observe('vault', [away, condition({ ...away, subject: 'b', sinceMs: at.clock.ms - HOUR })])
  assert.deepEqual(await told(at), ['began location.unreachable', 'began location.unreachable'])
})

test('it is over when its cause has been gone for a while; what flickers stays one alarm', async () => {
  await using at = await room()
  await at.alarms.setSettings(MAIL)
  for (let round = 0; round < 10; round++) {
    await at.alarms.observe('vault', [condition()])
    at.clock.ms += 5 * MINUTE
    await at.alarms.observe('vault', [])
    at.clock.ms += 4 * MINUTE
  }
  assert.equal((await only(at)).state, 'open')
  await at.alarms.observe('vault', [])
  at.clock.ms += 10 * MINUTE
  await at.alarms.observe('vault', [])
  const alarm = await only(at)
  assert.deepEqual([alarm.state, alarm.times], ['over', 1])
  // The first message was never sent, so nobody needs to hear that it is over.
  assert.deepEqual(await told(at), [])
})

test('it comes back: within the hour as the same alarm, later as another one', async () => {
  await using at = await room()
  const gone = async (): Promise<void> => {
    await at.alarms.observe('vault', [])
    at.clock.ms += 10 * MINUTE
    await at.alarms.observe('vault', [])
  }
  await at.alarms.observe('vault', [condition()])
  const { id } = await only(at)
  await at.alarms.acknowledge({ id, by: 'Ada', note: 'on my way' })
  await gone()
  await at.alarms.observe('vault', [condition()])
  const again = await only(at)
  assert.deepEqual([again.id, again.state, again.times, again.acknowledged], [id, 'open', 2, null])
  await gone()
  at.clock.ms += 2 * HOUR
  await at.alarms.observe('vault', [condition()])
  const { alarms } = await at.alarms.list({ state: 'all' })
  assert.deepEqual(
    alarms.map(({ state, times }) => `${state} ${times}`),
    ['open 1', 'over 2'],
  )
})

test('a person has seen it: it is not told again, unless it becomes worse', async () => {
  await using at = await room()
  await at.alarms.setSettings(MAIL)
  await at.alarms.observe('vault', [condition({ severity: 'warning' })])
  const seen = await at.alarms.acknowledge({ id: (await only(at)).id, by: 'Ada', note: 'the provider works on it' })
  assert.deepEqual(seen.acknowledged, { by: 'Ada', at: '2026-11-20T12:00:00.000Z', note: 'the provider works on it' })
  await at.alarms.observe('vault', [condition({ severity: 'warning' })])
  assert.equal((await only(at)).state, 'acknowledged')
  at.clock.ms += 1
  await at.alarms.observe('vault', [condition({ severity: 'alarm' })])
  assert.equal((await only(at)).state, 'open')
  assert.deepEqual(await told(at), ['began location.not-ours', 'worse location.not-ours'])
  await assert.rejects(
    at.alarms.acknowledge({ id: 'f'.repeat(32), by: 'Ada', note: '' }),
    (error) => error instanceof Failure && error.code === 'alarms.absent',
  )
})

test('what stays is open until somebody has seen it, though its cause is gone', async () => {
  await using at = await room()
  at.alarms.ring(condition({ code: 'location.lies', stays: true, numbers: { fragments: 3 } }))
  await at.alarms.settled()
  await at.alarms.observe('vault', [condition({ code: 'location.lies', subject: 'b', stays: true })])
  at.clock.ms += DAY
  await at.alarms.observe('vault', [])
  at.clock.ms += DAY
  await at.alarms.observe('vault', [])
  const { alarms } = await at.alarms.list({})
  assert.deepEqual(
    alarms.map(({ state, ended }) => [state, ended !== null]),
    [
      ['open', true],
      ['open', true],
    ],
  )
  for (const { id } of alarms) await at.alarms.acknowledge({ id, by: 'Ada', note: '' })
  await at.alarms.observe('vault', [])
  const after = (await at.alarms.list({ state: 'all' })).alarms.map(({ state }) => state).toSorted()
  assert.deepEqual(after, ['acknowledged', 'over'], 'the one that rang is over at the next tick of the room')
})

test('whoever is in the middle of a transaction may ring: it is written afterwards, also when that one is undone', async () => {
  await using at = await room()
  const work = at.db.transaction(async (tx) => {
    at.alarms.ring(condition({ code: 'identity.wait', subject: '', numbers: { count: 1 } }))
    await tx.selectFrom('alarms_alarm').select('id').execute()
    throw new Error('undone')
  })
  await assert.rejects(work, /undone/)
  await at.alarms.settled()
  assert.deepEqual([(await only(at)).code, at.warned], ['identity.wait', []])
})

test('ten thousand events are few rows and few messages', async () => {
  await using at = await room()
  await at.alarms.setSettings(MAIL)
  for (let event = 0; event < 10_000; event++)
    at.alarms.ring(
      condition({ code: 'identity.wait', subject: `attacker-${event}`, numbers: { count: 1 }, severity: 'alarm', culprits: [] }),
    )
  await at.alarms.settled()
  const { alarms, counts } = await at.alarms.list({ limit: 200 })
  assert.ok(counts.open <= 60, `${counts.open} rows`)
  assert.ok(alarms.length <= 60)
  const { deliveries } = await at.alarms.deliveries({ limit: 200 })
  assert.ok(deliveries.length <= 21, `${deliveries.length} messages`)
  assert.equal(deliveries.filter(({ reason }) => reason === 'many').length, 1)
  assert.deepEqual(at.warned, [])
  // Observed causes in a flood are bounded as well.
  await at.alarms.observe(
    'vault',
    Array.from({ length: 10_000 }, (_, index) => condition({ code: 'location.full', subject: String(index) })),
  )
  assert.ok((await at.alarms.list({ limit: 200 })).counts.open <= 120)
})

test('an alarm that nobody has seen is told again, to more people, and then each day', async () => {
  await using at = await room()
  await at.alarms.setSettings({ ...SETTINGS, mail: mailSettings(25, { escalateTo: ['boss@hospital.example'] }) })
  const { tick } = await import('../../src/alarms/alarm-book.ts')
  const pass = (ms: number) => {
    at.clock.ms += ms
    return at.db.transaction((tx) => tick(tx, { source: 'events', reminderMs: 4 * HOUR, nowMs: at.clock.ms }))
  }
  await at.alarms.observe('vault', [condition(), condition({ subject: 'b', severity: 'warning' })])
  await pass(4 * HOUR - 1)
  assert.equal((await told(at)).length, 2)
  await pass(1)
  const { deliveries } = await at.alarms.deliveries({})
  assert.deepEqual(
    deliveries
      .filter(({ reason }) => reason === 'reminder')
      .map(({ to }) => to)
      .toSorted(),
    ['boss@hospital.example', 'it@hospital.example'],
  )
  await pass(4 * HOUR)
  await pass(19 * HOUR)
  assert.equal((await told(at)).length, 4)
  await pass(HOUR)
  assert.equal((await told(at)).length, 6)
  for (let day = 0; day < 30; day++) await pass(DAY)
  assert.equal((await told(at)).length, 2 + 2 * 10, 'bounded')
  const [alarm] = (await at.alarms.list({})).alarms.filter(({ severity }) => severity === 'alarm')
  await at.alarms.acknowledge({ id: alarm!.id, by: 'Ada', note: '' })
  await pass(DAY)
  assert.equal((await told(at)).length, 22)
})

test('warnings wait for the end of quiet hours, alarms do not', async () => {
  const night = { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' }
  // 23:30 in Berlin in winter.
  await using at = await room({ clock: stillClock(Date.UTC(2026, 10, 20, 22, 30)) })
  await at.alarms.setSettings({ ...MAIL, quiet: night })
  await at.alarms.observe('vault', [
    condition({ severity: 'warning' }),
    condition({ subject: 'b' }),
    condition({ subject: 'c', severity: 'notice' }),
  ])
  const { deliveries } = await at.alarms.deliveries({})
  assert.deepEqual(deliveries.map(({ due }) => String(due)).toSorted(), ['2026-11-20T22:30:00.000Z', '2026-11-21T05:00:00.000Z'])
  const ends = (iso: string, quiet = night): string => new Date(endOfQuiet(quiet, Date.parse(iso))).toISOString()
  assert.equal(ends('2026-07-01T03:59:30Z'), '2026-07-01T04:00:00.000Z', 'summer time')
  assert.equal(ends('2026-07-01T04:00:00Z'), '2026-07-01T04:00:00.000Z')
  assert.equal(ends('2026-07-01T12:00:00Z'), '2026-07-01T12:00:00.000Z')
  assert.equal(ends('2026-11-20T12:30:00Z', { from: '13:00', to: '14:00', timeZone: 'Europe/Berlin' }), '2026-11-20T13:00:00.000Z')
  assert.equal(ends('2026-11-20T12:30:00Z', { from: '13:00', to: '13:00', timeZone: 'Europe/Berlin' }), '2026-11-20T12:30:00.000Z')
})

test('settings that would send alarms in clear, or nowhere, are refused', async () => {
  await using at = await room()
  const refused = async (settings: object, words: RegExp): Promise<void> => {
    const set = at.alarms.setSettings({ ...SETTINGS, ...settings })
    await assert.rejects(set, (error) => error instanceof Failure && error.code === 'alarms.settings' && words.test(error.message))
  }
  await refused({ mail: mailSettings(25, { host: 'mail.hospital.example' }) }, /in clear/)
  await refused({ mail: mailSettings(25, { user: 'vault' }) }, /go together/)
  await refused(
    { webhook: { url: 'https://user:secret@hooks.example/', secretFile: 'hook', authorityFile: null, allowPrivate: false } },
    /holds a password/,
  )
  await refused({ quiet: { from: '22:00', to: '06:00', timeZone: 'Atlantis/North' } }, /no time zone/)
  assert.equal((await at.alarms.settings()).mail, null)
})

test('all of it is listed in pages', async () => {
  await using at = await room()
  for (let one = 0; one < 7; one++) {
    await at.alarms.observe(`source-${one}`, [condition({ subject: String(one) })])
    at.clock.ms += one % 2 === 0 ? 0 : MINUTE
  }
  const seen: string[] = []
  for (let after: string | undefined; ;) {
    const page = await at.alarms.list({ limit: 2, ...(after === undefined ? {} : { after }) })
    seen.push(...page.alarms.map(({ id }) => id))
    if (page.next === null) break
    after = page.next
  }
  assert.equal(new Set(seen).size, 7)
  await assert.rejects(at.alarms.list({ after: 'nonsense' }), (error) => error instanceof Failure && error.code === 'api.body')
})
