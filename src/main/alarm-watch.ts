// Watches a site that runs, and tells its alarms what is there now: after every event of the vault, and now and then without one.
import { statfs } from 'node:fs/promises'
import { type Clock, isFailure } from '#base'
import type { Alarms } from '#alarms'
import type { SiteStorage } from '#storage'
import { certificateConditions, conditionsOf, diskConditions, findingsOf } from './alarm-sources.ts'
import type { SiteLog } from './log.ts'

export interface WatchOptions {
  readonly alarms: Alarms
  readonly storage: SiteStorage
  readonly home: string
  readonly clock: Clock
  readonly log: SiteLog
  /** Undefined where the site speaks no TLS. */
  readonly certificate: (() => { readonly endsMs: number; readonly trouble: boolean; readonly own: boolean }) | undefined
}

/** At most this often, however much happens. */
const PAUSE_MS = 5000
const LOOK_MS = 60_000
/** Whose end was seen already. */
const TASKS_REMEMBERED = 1000
/** What costs nothing to look at. */
const AROUND_MS = 10_000

/** Until the signal aborts. Never throws. */
export async function watchForAlarms(options: WatchOptions, signal: AbortSignal): Promise<void> {
  let stirred = true
  let stir = (): void => {}
  const listening = listen(options, signal, () => {
    stirred = true
    stir()
  })
  const around = keepLookingAround(options, signal)
  while (!signal.aborted) {
    const woken = new Promise<void>((resolve) => {
      stir = resolve
    })
    stirred = false
    await lookAtVault(options).catch((error: unknown) => tellTrouble(options, signal, error))
    await options.clock.sleep(PAUSE_MS, signal).catch(() => undefined)
    if (!stirred) await Promise.race([woken, options.clock.sleep(LOOK_MS, signal).catch(() => undefined)])
  }
  await Promise.all([listening, around])
}

async function keepLookingAround(options: WatchOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await lookAround(options).catch((error: unknown) => tellTrouble(options, signal, error))
    await options.clock.sleep(AROUND_MS, signal).catch(() => undefined)
  }
}

async function lookAtVault({ alarms, storage, clock }: WatchOptions): Promise<void> {
  const settings = await alarms.settings()
  const nowMs = clock.now()
  const status = await storage.status({ check: false })
  const [health, history] = status.vault === null ? [] : await Promise.all([storage.health(), storage.healthHistory({ days: 2 })])
  await alarms.observe('vault', conditionsOf({ status, health, history, settings, nowMs }))
}

/** The disk of the home, and the certificate. */
async function lookAround({ alarms, home, clock, certificate }: WatchOptions): Promise<void> {
  const settings = await alarms.settings()
  const nowMs = clock.now()
  const disk = await statfs(home)
  const unit = disk.bsize
  await alarms.observe(
    'disk',
    diskConditions({ freeBytes: disk.bavail * unit, totalBytes: disk.blocks * unit, percentMin: settings.diskPercent }),
  )
  await alarms.observe('certificate', certificate === undefined ? [] : certificateConditions({ ...certificate(), nowMs }))
}

/** What checks that ended found. Also for a single command, whose process ends with it. */
export async function ringFindings(
  { alarms, storage }: Pick<WatchOptions, 'alarms' | 'storage'>,
  tasks: readonly Parameters<typeof findingsOf>[0][],
): Promise<void> {
  const worth = tasks.filter((task) => task.state === 'done' && (task.report?.findings.length ?? 0) > 0)
  if (worth.length === 0) return
  const { locations } = await storage.status({ check: false })
  for (const condition of worth.flatMap((task) => findingsOf(task, locations))) alarms.ring(condition)
  await alarms.settled()
}

async function listen(options: WatchOptions, signal: AbortSignal, stir: () => void): Promise<void> {
  const seen = new Set<string>()
  try {
    for await (const event of options.storage.events(signal)) {
      if (event.kind === 'task' && event.task.state !== 'running' && !seen.has(event.task.id)) {
        seen.add(event.task.id)
        const [oldest] = seen
        if (seen.size > TASKS_REMEMBERED && oldest !== undefined) seen.delete(oldest)
        await ringFindings(options, [event.task]).catch((error: unknown) => tellTrouble(options, signal, error))
      }
      if (event.kind !== 'files') stir()
    }
  } catch (error) {
    tellTrouble(options, signal, error)
  }
}

function tellTrouble({ log }: WatchOptions, signal: AbortSignal, error: unknown): void {
  if (signal.aborted) return
  log.warn(
    { code: isFailure(error) ? error.code : 'base.internal', name: error instanceof Error ? error.name : '' },
    'the watch for alarms could not look; it looks again',
  )
}
