// Records of breaches: begun by what may be one, written on by people, never changed, and loud while nobody decides.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, type FailureCode } from '#base'
import { condition, DAY, HOUR, room, stillClock } from './support.ts'

const coded = (code: FailureCode) => (error: unknown) => error instanceof Failure && error.code === code

test('what may be a breach begins one record; more of the same kind within 72 hours belong to it', async () => {
  await using at = await room()
  const lies = condition({ code: 'location.lies', stays: true, breach: true, numbers: { fragments: 3 }, culprits: ['West'] })
  await at.alarms.observe('vault', [lies])
  at.clock.ms += HOUR
  await at.alarms.observe('vault', [lies, { ...lies, subject: 'b', culprits: ['East'] }, condition({ code: 'location.full' })])
  const { breaches } = await at.alarms.breaches()
  assert.equal(breaches.length, 1)
  const [outline] = breaches
  assert.deepEqual(
    [outline!.code, outline!.state, outline!.decided, outline!.begun, outline!.deadline],
    ['location.lies', 'open', false, '2026-11-20T12:00:00.000Z', '2026-11-23T12:00:00.000Z'],
  )
  const record = await at.alarms.breach(outline!.id)
  assert.deepEqual(
    record.entries.map(({ number, field, by }) => [number, field, by]),
    [
      [1, 'begun', 'Quorate'],
      [2, 'alarm', 'Quorate'],
    ],
  )
  assert.match(record.entries[0]!.text, /West: 3 fragments.*for people to judge/)
  const { alarms } = await at.alarms.list({})
  assert.deepEqual(new Set(alarms.map(({ breach }) => breach)), new Set([outline!.id, null]))
  // After the time is over, or once it is closed, another one is begun.
  at.clock.ms += 3 * DAY
  await at.alarms.observe('vault', [lies, { ...lies, subject: 'b' }, { ...lies, subject: 'c' }])
  assert.equal((await at.alarms.breaches()).breaches.length, 2)
})

test('people write who decided what and when; nothing that stood there is changed', async () => {
  await using at = await room()
  const { id } = await at.alarms.beginBreach({ text: 'A notebook was stolen.', by: 'Ada' })
  at.clock.ms += HOUR
  const add = (entry: object) => at.alarms.addToBreach({ id, by: 'Dora', ...entry } as Parameters<typeof at.alarms.addToBreach>[0])
  await add({ field: 'persons', text: 'from the list of visits', number: 120 })
  await add({ field: 'persons', text: 'counted again', number: 118 })
  await add({ field: 'aware', text: 'the porter called', time: '2026-11-20T09:00:00.000Z' })
  const decided = await add({ field: 'decision', text: 'encrypted, no risk', choice: 'no-notification' })
  assert.deepEqual([decided.aware, decided.deadline, decided.decided], ['2026-11-20T09:00:00.000Z', '2026-11-23T09:00:00.000Z', true])
  assert.deepEqual(
    decided.entries.map(({ number, field, count, by }) => [number, field, count, by]),
    [
      [1, 'begun', null, 'Ada'],
      [2, 'persons', 120, 'Dora'],
      [3, 'persons', 118, 'Dora'],
      [4, 'aware', null, 'Dora'],
      [5, 'decision', null, 'Dora'],
    ],
  )
  await assert.rejects(add({ field: 'reopened', text: 'x' }), coded('alarms.breach'))
  await add({ field: 'closed', text: 'done' })
  await assert.rejects(add({ field: 'measures', text: 'late' }), coded('alarms.breach'))
  await add({ field: 'note', text: 'a note may always be added' })
  assert.equal((await add({ field: 'reopened', text: 'the thief wrote' })).state, 'open')
  await assert.rejects(add({ field: 'aware', text: 'tomorrow', time: new Date(at.clock.ms + DAY).toISOString() }), coded('alarms.breach'))
  await assert.rejects(at.alarms.breach('f'.repeat(32)), coded('alarms.absent'))
  await assert.rejects(at.alarms.addToBreach({ id: 'f'.repeat(32), by: 'Dora', field: 'note', text: 'x' }), coded('alarms.absent'))
})

test('a storm of alarms leaves room for what people have to say', async () => {
  await using at = await room()
  const lies = condition({ code: 'storage.mass-loss', breach: true })
  for (let round = 0; round < 20; round++)
    await at.alarms.observe(
      `source-${round}`,
      Array.from({ length: 45 }, (_, index) => ({ ...lies, subject: String(index) })),
    )
  const { breaches } = await at.alarms.breaches()
  assert.equal(breaches.length, 1)
  const { id } = breaches[0]!
  assert.equal((await at.alarms.breach(id)).entries.length, 500)
  const written = await at.alarms.addToBreach({ id, by: 'Dora', field: 'nature', text: 'a disk failed' })
  assert.equal(written.entries.at(-1)?.number, 501)
})

test('a record without a decision rings a day before its time is over, and stops when somebody decides', async () => {
  // The clock of the room moves its own loop on, so its looks are real here.
  const clock = stillClock()
  await using at = await room({ clock })
  const { id } = await at.alarms.beginBreach({ text: 'A letter went to the wrong address.', by: 'Ada' })
  const ringing = async (): Promise<readonly string[]> =>
    (await at.alarms.list({})).alarms.map(({ code, numbers }) => `${code} ${numbers['hours']}`)
  clock.ms += 47 * HOUR
  await at.alarms.look()
  assert.deepEqual(await ringing(), [])
  clock.ms += HOUR
  await at.alarms.look()
  assert.deepEqual(await ringing(), ['alarms.breach-due 24'])
  clock.ms += 30 * HOUR
  await at.alarms.look()
  assert.deepEqual(await ringing(), ['alarms.breach-due -6'])
  await at.alarms.addToBreach({ id, by: 'Dora', field: 'decision', text: 'told by phone', choice: 'notified-authority' })
  await at.alarms.look()
  clock.ms += 10 * 60_000
  await at.alarms.look()
  assert.deepEqual(await ringing(), [])
})
