// What a site tells Prometheus: calls, bytes, openings, work under way, how the vault and its locations are, and how the process is.
// No label holds a name, a path, or an id of a person or a file. Loaded by sites that serve, not by commands.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Door } from '#access'
import { isFailure } from '#base'
import type { HealthView, Status } from '#contract'
import type { RouteName } from './handlers.ts'

export interface CallOutcome {
  /** Undefined for what reached no route of the table. */
  readonly name: RouteName | undefined
  readonly status: number
  readonly code: string | undefined
  readonly milliseconds: number
}

export interface Metrics {
  call(outcome: CallOutcome): void
  bytes(direction: 'in' | 'out', count: number): void
  /** The text format of Prometheus, version 0.0.4, as of now. */
  text(): Promise<{ readonly type: string; readonly text: string }>
}

/** How writes to the database wait for each other. */
export interface DatabaseWait {
  readonly waiting: number
  readonly waits: number
  readonly waitedMs: number
}

export interface MetricsOptions {
  /** As who may see the state of the whole site. */
  readonly door: Pick<Door, 'status' | 'health' | 'uploads' | 'tasks'>
  readonly databaseWait?: (() => DatabaseWait) | undefined
}

const DURATIONS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
/** Calls that open a version for reading, or store one. */
const OPENINGS: { readonly [N in RouteName]?: 'read' | 'write' } = {
  download: 'read',
  verifyContent: 'read',
  fragment: 'read',
  upload: 'write',
  finishUpload: 'write',
}
/** Hex digits of a location's id that tell locations of one vault apart. */
const ID_DIGITS = 8

export function createMetrics(options: MetricsOptions): Metrics {
  const registers = [new Registry()]
  const registry = registers[0]!
  collectDefaultMetrics({ register: registry })
  const calls = new Counter({
    name: 'quorate_requests_total',
    help: 'Requests that were answered, by operation of the API, status and code of refusal',
    labelNames: ['operation', 'status', 'code'] as const,
    registers,
  })
  const durations = new Histogram({
    name: 'quorate_request_duration_seconds',
    help: 'From the first byte of a request to the last one of its answer',
    labelNames: ['operation'] as const,
    buckets: DURATIONS_S,
    registers,
  })
  const bytes = new Counter({
    name: 'quorate_body_bytes_total',
    help: 'Bytes of bodies, in: from clients, out: to clients',
    labelNames: ['direction'] as const,
    registers,
  })
  const openings = new Counter({
    name: 'quorate_openings_total',
    help: 'Versions that were opened for reading, or stored',
    labelNames: ['how'] as const,
    registers,
  })
  for (const direction of ['in', 'out']) bytes.inc({ direction }, 0)
  for (const how of ['read', 'write']) openings.inc({ how }, 0)
  const state = stateGauges(registers)
  if (options.databaseWait !== undefined) databaseMetrics(registers, options.databaseWait)
  let under: Promise<string> | undefined

  return {
    call({ name, status, code, milliseconds }) {
      const operation = name ?? 'none'
      calls.inc({ operation, status: String(status), code: code ?? '' })
      durations.observe({ operation }, milliseconds / 1000)
      const how = name === undefined ? undefined : OPENINGS[name]
      if (how !== undefined && status < 300) openings.inc({ how })
    },
    bytes: (direction, count) => bytes.inc({ direction }, count),
    async text() {
      // Whoever asks while it is being looked gets the same answer.
      under ??= state
        .look(options.door)
        .then(() => registry.metrics())
        .finally(() => (under = undefined))
      return { type: registry.contentType, text: await under }
    },
  }
}

function databaseMetrics(registers: Registry[], wait: () => DatabaseWait): void {
  gaugeOf(registers, 'quorate_database_waiting', 'Writes that wait for their turn in the database now', () => wait().waiting)
  total(registers, 'quorate_database_waits_total', 'Writes that had to wait for their turn in the database', () => wait().waits)
  total(
    registers,
    'quorate_database_wait_seconds_total',
    'How long writes waited for their turn in the database',
    () => wait().waitedMs / 1000,
  )
}

function gaugeOf(registers: Registry[], name: string, help: string, value: () => number): Gauge {
  return new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(value())
    },
  })
}

/** A counter that somebody else counts. */
function total(registers: Registry[], name: string, help: string, value: () => number): Counter {
  return new Counter({
    name,
    help,
    registers,
    collect() {
      this.reset()
      this.inc(value())
    },
  })
}

interface StateGauges {
  /** Sets every gauge to what is now; what cannot be told is left out rather than told old. */
  look(door: MetricsOptions['door']): Promise<void>
}

const HEALTHS = ['none', 'healthy', 'degraded', 'unreadable'] as const
const LOCATION_STATES = ['healthy', 'degraded', 'empty', 'unreachable', 'lying'] as const
const SEVERITIES = ['hint', 'warning', 'alarm'] as const

function stateGauges(registers: Registry[]): StateGauges {
  const gauges: { readonly gauge: Gauge; readonly labelled: boolean }[] = []
  const gauge = (name: string, help: string, labelNames: readonly string[] = []): Gauge => {
    const made: Gauge = new Gauge({ name: `quorate_${name}`, help, labelNames: [...labelNames], registers })
    gauges.push({ gauge: made, labelled: labelNames.length > 0 })
    return made
  }
  const up = gauge('state_readable', 'Whether the state of the vault could be looked at for this answer')
  const health = gauge('vault_health', '1 for the health that the vault has', ['health'])
  const files = gauge('files', 'Files with a current version')
  const stored = gauge('file_bytes', 'Bytes of all current versions as people see them')
  const bare = gauge('files_without_redundancy', 'Files with exactly k fragments left, or fewer')
  const pending = gauge('recovery_point_pending_changes', 'Changes that the vault itself would not restore yet without the database')
  const messages = gauge('messages', 'What the site tells people to look at', ['severity'])
  const debtFragments = gauge('repair_debt_fragments', 'Fragments that have to be written again')
  const debtBytes = gauge('repair_debt_bytes', 'Bytes that have to be written again')
  const debtUrgent = gauge('repair_debt_urgent_fragments', 'Fragments of files that any further loss could make unreadable')
  const debtSince = gauge('repair_debt_oldest_timestamp_seconds', 'Since when the oldest damage is known; 0 without any')
  const debtHeld = gauge('repair_debt_held_back_locations', 'Locations that lost so much at once that a person must look')
  const locations = gauge('locations', 'Locations by state', ['state'])
  const locationUp = gauge('location_up', '1 while a location answers with what is ours', ['location'])
  const latency = gauge('location_latency_seconds', 'Moving mean of how long a location takes to answer', ['location'])
  const fragments = gauge('location_fragments', 'Fragments at a location by what is known of them', ['location', 'state'])
  const kept = gauge('location_bytes', 'Bytes that lie at a location', ['location'])
  const calls = gauge('location_calls_30d', 'Calls of a location in 30 days', ['location', 'sort'])
  const errors = gauge('location_errors_30d', 'Calls of a location that failed in 30 days', ['location'])
  const slow = gauge('location_latency_p95_seconds_30d', '95 of 100 answers of a location in 30 days came within', ['location'])
  const uploads = gauge('uploads_under_way', 'Uploads that go on after interruptions and are not finished')
  const tasks = gauge('tasks_running', 'Long work that runs now')

  const tellStatus = (status: Status): void => {
    for (const one of HEALTHS) health.set({ health: one }, status.health === one ? 1 : 0)
    files.set(status.files)
    stored.set(status.bytes)
    bare.set(status.withoutRedundancy)
    pending.set(status.recoveryPoint.pendingChanges)
    for (const severity of SEVERITIES) messages.set({ severity }, status.messages.filter((one) => one.severity === severity).length)
    for (const state of LOCATION_STATES) locations.set({ state }, status.locations.filter((one) => one.state === state).length)
    for (const { id, state, latencyMs, fragments: held, bytes } of status.locations) {
      const location = id.slice(0, ID_DIGITS)
      locationUp.set({ location }, state === 'unreachable' || state === 'empty' ? 0 : 1)
      if (latencyMs !== null) latency.set({ location }, latencyMs / 1000)
      for (const [known, count] of Object.entries(held)) fragments.set({ location, state: known }, count)
      kept.set({ location }, bytes)
    }
  }
  const tellHealth = ({ debt, locations: measured }: HealthView): void => {
    debtFragments.set(debt.fragments)
    debtBytes.set(debt.bytes)
    debtUrgent.set(debt.urgent)
    debtSince.set(debt.oldest === null ? 0 : Date.parse(debt.oldest) / 1000)
    debtHeld.set(debt.heldBack.length)
    for (const { id, usage } of measured) {
      const location = id.slice(0, ID_DIGITS)
      calls.set({ location, sort: 'put' }, usage.puts)
      calls.set({ location, sort: 'get' }, usage.gets)
      errors.set({ location }, usage.errors)
      if (usage.p95Ms !== null) slow.set({ location }, usage.p95Ms / 1000)
    }
  }
  return {
    async look(door) {
      for (const { gauge: one, labelled } of gauges) {
        one.reset()
        // Without labels a reset is a zero, which would be a statement.
        if (!labelled) one.remove()
      }
      up.set(0)
      try {
        const status = await door.status({ check: false })
        tellStatus(status)
        tasks.set((await door.tasks()).filter(({ state }) => state === 'running').length)
        if (status.vault !== null) {
          tellHealth(await door.health())
          uploads.set((await door.uploads({})).filter(({ state }) => state !== 'done').length)
        }
        up.set(1)
      } catch (error) {
        if (!isFailure(error)) throw error
      }
    },
  }
}
