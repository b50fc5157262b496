// The upload queue: three at a time, each cancellable, failures kept for another try. Knows no browser beyond `File`.
import { createRate } from './rate.ts'

export const CONCURRENT = 3
export const FILES_MAX = 200_000
const SHOWN_FAILED = 50
const SHOWN_WAITING = 5
const SHOWN_DONE = 5
const TELL_MS = 120
const STOPPED_TRIES_MAX = 50

export type UploadState = 'waiting' | 'sending' | 'settling' | 'done' | 'failed' | 'cancelled'

export type UploadDoing =
  | { readonly kind: 'checking' | 'proving' }
  /** Tried again until it goes on. */
  | { readonly kind: 'interrupted'; readonly error: unknown }

export interface Upload {
  readonly id: number
  readonly path: string
  readonly sizeBytes: number
  readonly state: UploadState
  readonly sentBytes: number
  /** What it is at besides sending: a large upload goes on after interruptions by itself. */
  readonly doing?: UploadDoing | undefined
  /** Why it failed. */
  readonly error?: unknown
  readonly version?: number
  /** Locations that do not hold it yet. */
  readonly laggards?: readonly string[]
}

export interface QueueView {
  readonly files: number
  readonly done: number
  readonly failed: number
  readonly cancelled: number
  readonly bytes: number
  readonly sentBytes: number
  readonly bytesPerSecond: number
  readonly remainingSeconds: number | null
  readonly busy: boolean
  /** The site does not answer; what waits goes on by itself when it does. */
  readonly paused: boolean
  readonly active: readonly Upload[]
  readonly failures: readonly Upload[]
  readonly waiting: readonly Upload[]
  readonly waitingCount: number
  readonly recent: readonly Upload[]
}

export interface UploadQueue {
  /** Takes files in; answers how many were refused because the queue is full. */
  add(files: readonly { readonly file: File; readonly path: string }[]): number
  cancel(id: number): void
  cancelAll(): void
  retry(id: number): void
  retryAll(): void
  /** Forgets what is finished. */
  clear(): void
  resume(): void
  view(): QueueView
  subscribe(listener: () => void): () => void
}

export interface Sending {
  readonly file: File
  readonly path: string
  readonly signal: AbortSignal
  readonly progress: (sentBytes: number) => void
  /** Undefined: it sends. */
  readonly doing: (what: UploadDoing | undefined) => void
}

interface QueueOptions {
  readonly send: (sending: Sending) => Promise<{ readonly version: number; readonly laggards: readonly string[] }>
  /** True for a failure that will pass when the site is back. */
  readonly isStopped: (error: unknown) => boolean
  readonly now: () => number
}

interface Item {
  readonly id: number
  readonly file: File
  readonly path: string
  shown: Upload
  tries: number
  abort: AbortController | undefined
}

export function createUploadQueue({ send, isStopped, now }: QueueOptions): UploadQueue {
  const items = new Map<number, Item>()
  const waiting = new Set<Item>()
  const active = new Set<Item>()
  const failed = new Set<Item>()
  const recent: Item[] = []
  const listeners = new Set<() => void>()
  const rate = createRate()
  let ids = 0
  let done = 0
  let cancelled = 0
  let bytes = 0
  let settledBytes = 0
  let paused = false
  let telling: ReturnType<typeof setTimeout> | undefined
  let shown: QueueView | undefined

  const sentBytes = (): number => [...active].reduce((sum, item) => sum + item.shown.sentBytes, settledBytes)
  const tell = (): void => {
    telling ??= setTimeout(() => {
      telling = undefined
      shown = undefined
      for (const listener of listeners) listener()
    }, TELL_MS)
  }
  const change = (item: Item, next: Partial<Upload>): void => {
    item.shown = { ...item.shown, ...next }
    tell()
  }
  const pump = (): void => {
    for (const item of waiting) {
      if (paused || active.size >= CONCURRENT) return
      waiting.delete(item)
      active.add(item)
      void run(item)
    }
  }
  const run = async (item: Item): Promise<void> => {
    const abort = new AbortController()
    item.abort = abort
    change(item, { state: 'sending', sentBytes: 0, error: undefined, doing: undefined })
    const progress = (sent: number): void => {
      if (abort.signal.aborted) return
      change(item, { sentBytes: Math.min(sent, item.file.size), state: sent >= item.file.size ? 'settling' : 'sending' })
      rate.note(now(), sentBytes())
    }
    const doing = (what: UploadDoing | undefined): void => {
      if (!abort.signal.aborted) change(item, { doing: what })
    }
    try {
      const { version, laggards } = await send({ file: item.file, path: item.path, signal: abort.signal, progress, doing })
      active.delete(item)
      settle(item, { state: 'done', sentBytes: item.file.size, version, laggards })
    } catch (error) {
      active.delete(item)
      if (abort.signal.aborted) settle(item, { state: 'cancelled' })
      else if (isStopped(error) && ++item.tries < STOPPED_TRIES_MAX) {
        paused = true
        waiting.add(item)
        change(item, { state: 'waiting', sentBytes: 0 })
      } else settle(item, { state: 'failed', error })
    }
    rate.note(now(), sentBytes())
    pump()
  }
  /** Ends an item. What is done or cancelled is dropped from memory, but for the last few. */
  const settle = (item: Item, end: Partial<Upload>): void => {
    item.abort = undefined
    waiting.delete(item)
    change(item, end)
    if (end.state === 'done') {
      done++
      settledBytes += item.file.size
      items.delete(item.id)
      recent.unshift(item)
      recent.length = Math.min(recent.length, SHOWN_DONE)
    } else if (end.state === 'failed') failed.add(item)
    else {
      cancelled++
      bytes -= item.file.size
      items.delete(item.id)
    }
  }
  const cancel = (item: Item): void => {
    if (item.abort !== undefined) item.abort.abort()
    else if (waiting.has(item)) settle(item, { state: 'cancelled' })
    else if (failed.delete(item)) settle(item, { state: 'cancelled' })
  }
  const again = (item: Item): void => {
    if (!failed.delete(item)) return
    item.tries = 0
    waiting.add(item)
    change(item, { state: 'waiting', sentBytes: 0, error: undefined })
  }
  const look = (): QueueView => {
    const sent = sentBytes()
    const busy = active.size > 0 || waiting.size > 0
    const bytesPerSecond = busy ? rate.perSecond(now()) : 0
    const failedBytes = [...failed].reduce((sum, item) => sum + item.file.size, 0)
    const left = Math.max(0, bytes - failedBytes - sent)
    return {
      files: done + items.size,
      done,
      failed: failed.size,
      cancelled,
      bytes,
      sentBytes: sent,
      bytesPerSecond,
      remainingSeconds: busy && bytesPerSecond > 0 ? left / bytesPerSecond : null,
      busy,
      paused: paused && busy,
      active: [...active].map((item) => item.shown),
      failures: firstOf(failed, SHOWN_FAILED),
      waiting: firstOf(waiting, SHOWN_WAITING),
      waitingCount: waiting.size,
      recent: recent.map((item) => item.shown),
    }
  }

  return {
    add: (files) => {
      const taken = files.slice(0, Math.max(0, FILES_MAX - items.size))
      if (active.size === 0 && waiting.size === 0) rate.reset()
      for (const { file, path } of taken) {
        const id = ++ids
        const item: Item = {
          id,
          file,
          path,
          tries: 0,
          abort: undefined,
          shown: { id, path, sizeBytes: file.size, state: 'waiting', sentBytes: 0 },
        }
        items.set(id, item)
        waiting.add(item)
        bytes += file.size
      }
      tell()
      pump()
      return files.length - taken.length
    },
    cancel: (id) => {
      const item = items.get(id)
      if (item !== undefined) cancel(item)
    },
    cancelAll: () => {
      for (const item of [...waiting, ...active]) cancel(item)
    },
    retry: (id) => {
      const item = items.get(id)
      if (item !== undefined) again(item)
      pump()
    },
    retryAll: () => {
      for (const item of failed.values().toArray()) again(item)
      pump()
    },
    clear: () => {
      for (const item of failed.values().toArray()) cancel(item)
      recent.length = 0
      if (active.size === 0 && waiting.size === 0) {
        done = 0
        cancelled = 0
        bytes = 0
        settledBytes = 0
      }
      tell()
    },
    resume: () => {
      paused = false
      tell()
      pump()
    },
    view: () => (shown ??= look()),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function firstOf(items: Iterable<Item>, count: number): readonly Upload[] {
  const first: Upload[] = []
  for (const item of items) {
    if (first.length >= count) break
    first.push(item.shown)
  }
  return first
}
