// The program's end of the SQLite thread: requests out, answers in, and every call fails once the thread is gone.
import { Worker } from 'node:worker_threads'
import { AssertionError, Failure } from '#base'
import { constraintViolation } from './constraint-violation.ts'
import type { Answer, Engine, FromThread, Refusal, ToThread } from './protocol.ts'

interface Pending {
  resolve(answer: Answer): void
  reject(error: Error): void
}

const CALLS_PENDING_MAX = 100_000

// SQLite's primary result codes that are the world's doing, https://www.sqlite.org/rescode.html
const WORLD = new Set([3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 22, 23])
/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED = new Set([11, 26])

const PROGRAM = new URL('./sqlite-worker.ts', import.meta.url)

/** Opens the file, creating it where there is none; `database.unavailable` when that cannot be done. */
export async function startSqliteThread(file: string, program = PROGRAM): Promise<Engine> {
  const worker = new Worker(program, {
    workerData: { file },
    name: 'database',
    // Not the program's own, which may hold flags that a thread refuses.
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const pending = new Map<number, Pending>()
  let last = 0
  let gone: Failure | undefined

  function expect(id: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      // An idle database does not keep the program alive; a call that waits for its answer does.
      if (pending.size === 0) worker.ref()
      pending.set(id, { resolve, reject })
    })
  }

  function settle(id: number): Pending | undefined {
    const call = pending.get(id)
    pending.delete(id)
    if (pending.size === 0) worker.unref()
    return call
  }

  function lose(cause: unknown): void {
    const detail = cause instanceof Error ? `${file}: ${cause.message}` : `${file}: the database thread ended unexpectedly`
    const code = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0
    gone ??= DAMAGED.has(code) ? damaged(detail) : new Failure('database.unavailable', { detail, cause })
    for (const call of pending.values()) call.reject(gone)
    pending.clear()
  }

  worker.on('message', ({ id, answer, refusal }: FromThread) => {
    const call = settle(id)
    if (refusal) call?.reject(translate(refusal, file))
    else call?.resolve(answer ?? {})
  })
  worker.on('error', lose)
  worker.on('messageerror', lose)
  worker.on('exit', () => lose(undefined))

  const thread: Engine = {
    call: async (request) => {
      if (gone) throw new Failure('database.unavailable', { detail: gone.message, cause: gone })
      if (pending.size >= CALLS_PENDING_MAX) throw new Failure('database.unavailable', { detail: 'too many statements at once' })
      const id = ++last
      const answer = expect(id)
      worker.postMessage({ id, request } satisfies ToThread)
      return answer
    },
    stop: async () => {
      await thread.call({ kind: 'close' }).catch(() => undefined)
      gone ??= new Failure('database.unavailable', { detail: 'the database is closed' })
      await worker.terminate()
    },
  }
  await expect(0)
  return thread
}

/** What SQLite refused, as the rest of the program knows it. */
export function translate({ code, message }: Refusal, file: string): Error {
  if (code === undefined) return new AssertionError(`database: ${message}`)
  if ((code & 0xff) === 19) return constraintViolation(code, message)
  if (DAMAGED.has(code & 0xff)) return damaged(`${file}: ${message}`)
  if (WORLD.has(code & 0xff)) return new Failure('database.unavailable', { detail: `${file}: ${message}` })
  return new AssertionError(`database: ${message}`)
}

function damaged(detail: string): Failure {
  return new Failure('database.corrupt', { detail, next: 'Move the damaged file away and rebuild it from the locations: quorate recover.' })
}
