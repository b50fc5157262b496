// Long work that people watch and can cancel.
import { type Clock, Failure, rfc3339 } from '#base'
import { type Report, type Task, toProblem } from '#contract'
import { newId } from '#format'
import type { Findings, Progress } from './findings.ts'

const KEPT_MAX = 100
const TELL_MS = 250
const RUNNING_MAX = 8

/** What the work is given: when to stop, and where to say how far it is. */
export interface TaskTools {
  readonly signal: AbortSignal
  readonly progress: Progress
}

interface Running {
  task: Task
  readonly cancel: AbortController
  readonly ended: Promise<void>
}

export class Tasks {
  readonly #clock: Clock
  readonly #tell: (task: Task) => void
  readonly #all = new Map<string, Running>()

  constructor(clock: Clock, tell: (task: Task) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  list(): Task[] {
    return [...this.#all.values()].map(({ task }) => task).toReversed()
  }

  get(id: string): Task {
    const found = this.#all.get(id)
    if (found === undefined) throw new Failure('storage.absent', { detail: 'there is no such task' })
    return found.task
  }

  /** Cancels and waits for the end; what is done stays done. */
  async cancel(id: string): Promise<Task> {
    const found = this.#all.get(id)
    if (found === undefined) throw new Failure('storage.absent', { detail: 'there is no such task' })
    found.cancel.abort()
    await found.ended
    return found.task
  }

  async close(): Promise<void> {
    for (const { cancel } of this.#all.values()) cancel.abort()
    await Promise.all([...this.#all.values()].map(({ ended }) => ended))
  }

  /** Starts work in the background and answers at once. */
  start(kind: Task['kind'], title: string, unit: Task['unit'], work: (tools: TaskTools) => Promise<Findings>): Task {
    if (this.list().filter(({ state }) => state === 'running').length >= RUNNING_MAX)
      throw new Failure('api.limit', { detail: 'too much long work at once', next: 'Wait until some of it is done.' })
    const cancel = new AbortController()
    const startedMs = this.#clock.now()
    const id = newId()
    let toldMs = 0
    const initial: Task = {
      id,
      kind,
      state: 'running',
      title,
      done: 0,
      total: 0,
      unit,
      bytesPerSecond: 0,
      remainingSeconds: null,
      started: rfc3339(startedMs),
      report: null,
      problem: null,
    }
    const update = (change: Partial<Task>, always = false): void => {
      const entry = this.#all.get(id)!
      const task = { ...entry.task, ...change }
      const elapsed = (this.#clock.now() - startedMs) / 1000
      const rate = elapsed > 0 ? task.done / elapsed : 0
      entry.task = {
        ...task,
        bytesPerSecond: unit === 'bytes' ? Math.round(rate) : 0,
        remainingSeconds:
          task.state === 'running' && rate > 0 && task.total > 0 ? Math.max(0, Math.round((task.total - task.done) / rate)) : null,
      }
      if (!always && this.#clock.now() - toldMs < TELL_MS) return
      toldMs = this.#clock.now()
      this.#tell(entry.task)
    }
    const progress: Progress = {
      total: (total) => update({ total }),
      add: (done) => update({ done: this.#all.get(id)!.task.done + done }),
    }
    const end = (state: Task['state'], report: Report | null, problem: Task['problem']): void =>
      update({ state, report, problem, remainingSeconds: null }, true)
    const run = async (): Promise<void> => {
      try {
        const findings = await work({ signal: cancel.signal, progress })
        end('done', findings.report, null)
      } catch (error) {
        if (cancel.signal.aborted) end('cancelled', null, null)
        else end('failed', null, toProblem(error, id))
      }
    }
    // The entry stands before the work begins, which may report at once.
    const ended = Promise.resolve().then(run)
    this.#all.set(id, { task: initial, cancel, ended })
    for (const [oldest, entry] of this.#all) {
      if (this.#all.size <= KEPT_MAX) break
      if (entry.task.state !== 'running') this.#all.delete(oldest)
    }
    this.#tell(initial)
    return initial
  }
}
