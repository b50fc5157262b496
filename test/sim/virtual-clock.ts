// Time that passes only when nothing else can: no wait is real, and a slow machine changes nothing.
import { type Clock, Failure } from '#base'
import type { Chance } from '../storage/crash-model.ts'

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** Turns of the event loop without anything under way before time may pass. */
const IDLE_TURNS = 3
/** What may keep the event loop alive without being work of the vault: our own turns, bounds on waiting, and what we print. */
const NO_WORK = new Set(['Immediate', 'Timeout', 'TTYWrap', 'PipeWrap', 'WriteWrap', 'ShutdownWrap', 'SignalWrap', 'ProcessWrap'])

/** Of those that wake in the same millisecond, `random` decides who comes first. `startMs` is the time it begins at. */
export function virtualClock(random: Chance, startMs = Date.UTC(2030, 0, 1)): Clock {
  let nowMs = startMs
  let sleepers: Sleeper[] = []
  let running = false

  const turn = (idleTurns: number): void => {
    if (sleepers.length === 0) {
      running = false
      return
    }
    if (compiling > 0 || process.getActiveResourcesInfo().some((kind) => !NO_WORK.has(kind))) {
      setImmediate(turn, 0)
      return
    }
    if (idleTurns < IDLE_TURNS) {
      setImmediate(turn, idleTurns + 1)
      return
    }
    nowMs = Math.max(nowMs, Math.min(...sleepers.map(({ dueMs }) => dueMs)))
    const due = sleepers.filter(({ dueMs }) => dueMs <= nowMs)
    // One at a time: what it sets going goes as far as it can before the next wakes.
    const next = due[random.below(due.length)]!
    next.wake()
    setImmediate(turn, 0)
  }

  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper: Sleeper = { dueMs: nowMs + Math.max(0, Math.ceil(ms)), wake: () => leave(resolve) }
        const cancel = (): void => leave(() => reject(new Failure('base.cancelled')))
        const leave = (then: () => void): void => {
          sleepers = sleepers.filter((one) => one !== sleeper)
          signal?.removeEventListener('abort', cancel)
          then()
        }
        if (signal?.aborted === true) {
          reject(new Failure('base.cancelled'))
          return
        }
        signal?.addEventListener('abort', cancel, { once: true })
        sleepers.push(sleeper)
        if (running) return
        running = true
        setImmediate(turn, 0)
      }),
  }
}

/** The engine compiles in threads that the event loop does not list. */
let compiling = 0
for (const name of ['compile', 'instantiate'] as const) {
  const original = WebAssembly[name] as (...given: unknown[]) => Promise<unknown>
  Object.assign(WebAssembly, {
    [name]: (...given: unknown[]) => {
      compiling += 1
      return original(...given).finally(() => {
        compiling -= 1
      })
    },
  })
}
