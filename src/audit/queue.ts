// Many entries as one transaction: those that wait while another group is made durable share the next, and its one fsync.
import { AsyncLocalStorage } from 'node:async_hooks'
import { Failure } from '#base'
import type { Prepared } from './event.ts'

export interface AppendQueue {
  /** Resolves with the place of the entry when it is durable. */
  append(entry: Prepared): Promise<number>
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>
}

const GROUP_MAX = 256
const WAITING_MAX = 20_000

interface Waiting {
  readonly entry: Prepared
  readonly resolve: (index: number) => void
  readonly reject: (error: unknown) => void
}

/** `write` makes a group durable and answers its places in order; when it fails, all of the group fail. */
export function createQueue(write: (entries: readonly Prepared[]) => Promise<readonly number[]>): AppendQueue {
  const queue: Waiting[] = []
  // A group belongs to nobody's transaction, whoever was the first to wait for it.
  const outside = AsyncLocalStorage.snapshot()
  const now: { running: Promise<void> | undefined } = { running: undefined }

  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      const group = queue.splice(0, GROUP_MAX)
      try {
        const places = await write(group.map(({ entry }) => entry))
        for (const [n, { resolve }] of group.entries()) resolve(places[n]!)
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    now.running = undefined
  }

  return {
    append: (entry) => {
      if (queue.length >= WAITING_MAX)
        return Promise.reject(new Failure('audit.busy', { detail: `${WAITING_MAX} entries wait to be written already.` }))
      return new Promise((resolve, reject) => {
        queue.push({ entry, resolve, reject })
        now.running ??= outside(drain)
      })
    },
    idle: async () => {
      while (now.running !== undefined) await now.running
    },
  }
}
