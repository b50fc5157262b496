// What of the state of a site rings, with which weight and about whom; and that no name of a file gets out by it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HealthView, LocationStatus, Status, Task } from '#contract'
import { certificateConditions, conditionsOf, diskConditions, findingsOf, shortLabel } from '../../src/main/alarm-sources.ts'

const DAY_MS = 86_400_000
const NOW = Date.UTC(2026, 10, 20)
const settings = { unreachableMinutes: 10, repairHours: 24 }

function location(label: string, more: Partial<LocationStatus> = {}): LocationStatus {
  return {
    id: label.padEnd(32, '0').slice(0, 32),
    label,
    kind: 'folder',
    x: 1,
    state: 'healthy',
    detail: '',
    next: '',
    fragments: { held: 5, lost: 0, corrupt: 0, pending: 0 },
    bytes: 1,
    latencyMs: null,
    lastSeen: null,
    capabilities: null,
    probe: null,
    ...more,
  }
}

function status(more: Partial<Status> = {}): Status {
  return {
    health: 'healthy',
    vault: {
      id: 'a'.repeat(32),
      name: 'Vault',
      threshold: 2,
      count: 3,
      layout: 'shared',
      requireAll: false,
      created: '2026-01-01T00:00:00.000Z',
      dealer: '',
    },
    files: 1,
    folders: 0,
    bytes: 1,
    repairDue: 0,
    withoutRedundancy: 0,
    locations: [location('east'), location('west'), location('north')],
    recoveryPoint: { sequence: 1, at: null, pendingChanges: 0 },
    head: null,
    messages: [],
    ...more,
  }
}

function told(one: Status, health?: HealthView): string[] {
  return conditionsOf({ status: one, health, history: undefined, settings, nowMs: NOW }).map(({ code, severity, culprits, breach }) =>
    `${severity} ${code} ${culprits.join(',')}${breach === true ? ' breach' : ''}`.trim(),
  )
}

test('a healthy vault is silent, and so is a site without one', () => {
  assert.deepEqual(told(status()), [])
  assert.deepEqual(told(status({ vault: null, withoutRedundancy: 5 })), [])
})

test('each location in turn: away, emptied, wrong, full, shut out; and it is named', () => {
  const names = ['east', 'west', 'north']
  for (const name of names) {
    const among = (more: Partial<LocationStatus>): Status =>
      status({ health: 'degraded', locations: names.map((label) => location(label, label === name ? more : {})) })
    // Two answer and two are needed: the next one that fails takes files away.
    assert.deepEqual(told(among({ state: 'unreachable' })), [`alarm location.unreachable ${name}`])
    assert.deepEqual(told(among({ state: 'unreachable', reason: 'location.denied' })), [`alarm location.denied ${name}`])
    assert.deepEqual(told(among({ state: 'empty' })), [`alarm location.not-ours ${name}`])
    assert.deepEqual(told(among({ state: 'lying', fragments: { held: 4, lost: 0, corrupt: 1, pending: 0 } })), [
      `alarm location.lies ${name} breach`,
    ])
    assert.deepEqual(told(among({ reason: 'location.full' })), [`warning location.full ${name}`])
  }
  const spare = status({
    locations: [...status().locations, location('south', { state: 'unreachable', lastSeen: '2026-11-19T00:00:00.000Z' })],
  })
  assert.deepEqual(told(spare), ['warning location.unreachable south'])
  const [away] = conditionsOf({ status: spare, health: undefined, history: undefined, settings, nowMs: NOW })
  assert.deepEqual([away?.sinceMs, away?.delayMs], [NOW - DAY_MS, 600_000])
})

test('what cannot be read or bears no further loss rings', () => {
  assert.deepEqual(told(status({ health: 'unreadable', withoutRedundancy: 3 })), ['alarm format.incomplete'])
  assert.deepEqual(told(status({ health: 'degraded', withoutRedundancy: 3 })), ['warning storage.no-redundancy'])
})

test('messages of the site ring by their code alone: their sentences stay at home', () => {
  const message = (severity: 'hint' | 'warning' | 'alarm', code: string, text: string) => ({ severity, code, text, next: '' })
  const one = status({
    messages: [
      message('alarm', 'storage.mass-loss', 'west lost 30 fragments at once, among them of /patients/miller.pdf'),
      message('alarm', 'storage.fork', 'two histories'),
      message('warning', 'storage.head', 'stale'),
      message('hint', 'location.lies', 'east: no lock'),
      message('warning', 'storage.repair', 'said elsewhere'),
    ],
  })
  assert.deepEqual(told(one), ['alarm storage.mass-loss west breach', 'alarm storage.fork  breach', 'warning storage.head'])
  const all = JSON.stringify(conditionsOf({ status: one, health: undefined, history: undefined, settings, nowMs: NOW }))
  assert.doesNotMatch(all, /miller|patients|lost 30/)
})

test('damage rings when it waits too long, or grows fast', () => {
  const debt = (fragments: number, hours: number, urgent = 0) =>
    ({
      debt: { fragments, bytes: 1, oldest: new Date(NOW - hours * 3_600_000).toISOString(), urgent, heldBack: [] },
    }) as unknown as HealthView
  assert.deepEqual(told(status(), debt(5, 23)), [])
  assert.deepEqual(told(status(), debt(5, 24)), ['warning storage.repair-due'])
  assert.deepEqual(told(status(), debt(5, 24, 1)), ['alarm storage.repair-due'])
  const sample = { at: new Date(NOW - DAY_MS).toISOString(), lost: 40, corrupt: 0, pending: 10 }
  const history = { samples: [sample] } as never
  const rising = (fragments: number) => conditionsOf({ status: status(), health: debt(fragments, 1), history, settings, nowMs: NOW })
  assert.deepEqual(rising(100), [])
  assert.deepEqual(
    rising(101).map(({ numbers }) => numbers),
    [{ fragments: 101, hours: 1, before: 50 }],
  )
})

test('findings of a check that ended ring, whoever mended them since', () => {
  const finding = (kind: string, location: string) => ({ location, path: '/patients/miller.pdf', fragment: 'x', kind, detail: 'y' })
  const report = {
    checkedFragments: 9,
    checkedBytes: 9,
    repairedFragments: 2,
    moreFindings: 0,
    findings: [finding('corrupt', 'west'), finding('corrupt', 'west'), finding('lost', 'east'), finding('unreachable', 'north')],
  }
  const task = { state: 'done', report } as unknown as Task
  const found = findingsOf(task, status().locations)
  assert.deepEqual(
    found.map(({ code, culprits, numbers, breach }) => [code, culprits, numbers, breach]),
    [['location.lies', ['west'], { fragments: 2 }, true]],
  )
  assert.doesNotMatch(JSON.stringify(found), /miller/)
  assert.deepEqual(findingsOf({ ...task, state: 'running' }, []), [])
})

test('a certificate is warned of 30, 7 and 1 days before its end; one that is not usable at once', () => {
  const at = (days: number, more: object = {}): string[] =>
    certificateConditions({ endsMs: NOW + days * DAY_MS, nowMs: NOW, trouble: false, own: false, ...more }).map(
      ({ code, severity, numbers }) => `${severity} ${code} ${numbers['days'] ?? ''}`.trim(),
    )
  assert.deepEqual(at(30), [])
  assert.deepEqual(at(29.5), ['notice api.certificate-ends 29'])
  assert.deepEqual(at(6.5), ['warning api.certificate-ends 6'])
  assert.deepEqual(at(0.5), ['alarm api.certificate-ends 0'])
  assert.deepEqual(at(-3), ['alarm api.certificate-ends 0'])
  assert.deepEqual(at(90, { trouble: true }), ['alarm api.certificate'])
  assert.deepEqual(at(20, { own: true }), [], 'it is renewed by itself')
  assert.deepEqual(at(6, { own: true }), ['warning api.certificate-ends 6'], 'that failed')
})

test('a disk that fills up rings in time', () => {
  const free = (percent: number): string[] =>
    diskConditions({ freeBytes: percent, totalBytes: 100, percentMin: 6 }).map(({ severity }) => severity)
  assert.deepEqual([free(6), free(5), free(2), free(0)], [[], ['warning'], ['alarm'], ['alarm']])
  assert.deepEqual(diskConditions({ freeBytes: 0, totalBytes: 0, percentMin: 5 }), [])
})

test('a label that is a description is cut to what says which location it is', () => {
  for (const [label, short] of [
    ['Cloud West', 'Cloud West'],
    ['Berlin / cellar', 'Berlin / cellar'],
    ['folder:/srv/patients/east', 'folder:east'],
    ['folder:/srv/east/', 'folder:east'],
    ['folder:east', 'folder:east'],
    ['s3:https://key.example/bucket/prefix?region=eu&credentials=/home/keys.toml', 's3:prefix'],
  ] as const)
    assert.equal(shortLabel(label), short)
})
