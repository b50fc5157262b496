// Arenas are costly to make and cheap to keep: a bounded stock of them by shape, and a bound on how many work at once.
import { type Arena, arenaBytes, type ArenaShape, createArena } from '#format'
import { assert, Failure } from '#base'

export interface ArenaPool {
  /** Waits for room. Give it back with `release`, or with `abandon` when something may still write into it. */
  take(shape: ArenaShape, signal?: AbortSignal): Promise<Arena>
  release(arena: Arena): void
  abandon(arena: Arena): void
}

interface Waiter {
  readonly bytes: number
  readonly start: () => void
}

/** @param bytesMax memory of all arenas in use and in stock; one request larger than it is served alone */
export function createArenaPool(bytesMax: number): ArenaPool {
  const stock = new Map<string, Arena[]>()
  const waiting: Waiter[] = []
  let used = 0
  let stocked = 0

  const fits = (bytes: number): boolean => used === 0 || used + bytes <= bytesMax

  const trim = (bytes: number): void => {
    for (const [key, arenas] of stock) {
      while (arenas.length > 0 && used + stocked + bytes > bytesMax) stocked -= arenaBytes(arenas.pop()!.shape)
      if (arenas.length === 0) stock.delete(key)
    }
  }

  const next = (): void => {
    while (waiting.length > 0 && fits(waiting[0]!.bytes)) {
      const waiter = waiting.shift()!
      used += waiter.bytes
      waiter.start()
    }
  }

  const leave = (arena: Arena): void => {
    used -= arenaBytes(arena.shape)
    assert(used >= 0, 'an arena comes back once')
  }

  return {
    take: async (shape, signal) => {
      const bytes = arenaBytes(shape)
      if (waiting.length === 0 && fits(bytes)) used += bytes
      else {
        await new Promise<void>((resolve, reject) => {
          const waiter = { bytes, start: () => (signal?.removeEventListener('abort', cancel), resolve()) }
          const cancel = (): void => {
            const index = waiting.indexOf(waiter)
            if (index >= 0) waiting.splice(index, 1)
            reject(new Failure('base.cancelled'))
          }
          if (signal?.aborted) reject(new Failure('base.cancelled'))
          else {
            signal?.addEventListener('abort', cancel, { once: true })
            waiting.push(waiter)
          }
        })
      }
      const kept = stock.get(keyOf(shape))?.pop()
      if (kept !== undefined) {
        stocked -= bytes
        return kept
      }
      trim(bytes)
      return createArena(shape)
    },
    release: (arena) => {
      leave(arena)
      const key = keyOf(arena.shape)
      const bytes = arenaBytes(arena.shape)
      if (used + stocked + bytes <= bytesMax) {
        stock.set(key, [...(stock.get(key) ?? []), arena])
        stocked += bytes
      }
      next()
    },
    abandon: (arena) => {
      leave(arena)
      next()
    },
  }
}

function keyOf({ suite, k, rows, chunkLog2, slots }: ArenaShape): string {
  return `${suite}/${k}/${rows}/${chunkLog2}/${slots}`
}
