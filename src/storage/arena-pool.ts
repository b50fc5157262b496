// Arenas are costly to make and cheap to keep: a bounded stock of them by shape, and a bound on how many work at once.
import { type Arena, arenaBytes, type ArenaShape, createArena } from '#format'
import { assert, Failure } from '#base'

export interface ArenaPool {
  /** Waits for room. Give it back with `release`, or with `abandon` when something may still write into it. `mine` is taken if it is in stock still. */
  take(shape: ArenaShape, signal?: AbortSignal, mine?: Left): Promise<Arena>
  /** @param wipe when something is still in its rows: called before anybody else works in it */
  release(arena: Arena, wipe?: () => void): void
  abandon(arena: Arena): void
  /** Wipes it now, if it lies in stock as its last user left it. */
  clean(arena: Arena): void
  /** Memory of arenas in use: 0 when everybody has given theirs back. */
  readonly usedBytes: number
}

/** An arena as its last user left it, who may take it up again as it is. */
export interface Left {
  readonly arena: Arena
  readonly wipe: () => void
}

interface Waiter {
  readonly shape: ArenaShape
  readonly mine: Left | undefined
  readonly start: (kept: Arena | undefined) => void
}

/**
 * @param bytesMax memory of all arenas in use and in stock; one request larger than it is served alone
 * @param onWait somebody has to wait: whoever keeps arenas idle may give them back
 */
export function createArenaPool(bytesMax: number, onWait: () => void = () => undefined): ArenaPool {
  const stock = new Map<string, Arena[]>()
  const dirty = new Map<Arena, () => void>()
  const waiting: Waiter[] = []
  let used = 0
  let stocked = 0

  const fits = (bytes: number): boolean => used === 0 || used + bytes <= bytesMax

  const clean = (arena: Arena): void => {
    dirty.get(arena)?.()
    dirty.delete(arena)
  }

  /** Makes room for what is used now by letting go of stock. */
  const trim = (): void => {
    for (const [key, arenas] of stock) {
      while (arenas.length > 0 && used + stocked > bytesMax) {
        const arena = arenas.pop()!
        stocked -= arenaBytes(arena.shape)
        clean(arena)
      }
      if (arenas.length === 0) stock.delete(key)
    }
  }

  const next = (): void => {
    while (waiting.length > 0 && fits(arenaBytes(waiting[0]!.shape))) {
      const waiter = waiting.shift()!
      // Handed over at once: an arena that counts as stock and as used at the same time would push others out.
      const kept = fromStock(waiter.shape, waiter.mine)
      used += arenaBytes(waiter.shape)
      waiter.start(kept)
    }
  }

  const leave = (arena: Arena): void => {
    used -= arenaBytes(arena.shape)
    assert(used >= 0, 'an arena comes back once')
  }

  const wait = (shape: ArenaShape, mine: Left | undefined, signal: AbortSignal | undefined): Promise<Arena | undefined> =>
    new Promise((resolve, reject) => {
      const waiter: Waiter = { shape, mine, start: (kept) => (signal?.removeEventListener('abort', cancel), resolve(kept)) }
      const cancel = (): void => {
        const index = waiting.indexOf(waiter)
        if (index >= 0) waiting.splice(index, 1)
        reject(new Failure('base.cancelled'))
        next()
      }
      if (signal?.aborted) reject(new Failure('base.cancelled'))
      else {
        signal?.addEventListener('abort', cancel, { once: true })
        waiting.push(waiter)
        onWait()
      }
    })

  const fromStock = (shape: ArenaShape, mine: Left | undefined): Arena | undefined => {
    const arenas = stock.get(keyOf(shape)) ?? []
    const index = mine === undefined ? -1 : arenas.indexOf(mine.arena)
    const [arena] = arenas.splice(index >= 0 ? index : arenas.length - 1, 1)
    if (arena === undefined) return undefined
    stocked -= arenaBytes(shape)
    if (dirty.get(arena) === mine?.wipe) dirty.delete(arena)
    else clean(arena)
    return arena
  }

  return {
    take: async (shape, signal, mine) => {
      const bytes = arenaBytes(shape)
      let kept: Arena | undefined
      if (waiting.length === 0 && fits(bytes)) {
        kept = fromStock(shape, mine)
        used += bytes
      } else kept = await wait(shape, mine, signal)
      if (kept !== undefined) return kept
      trim()
      try {
        return await createArena(shape)
      } catch (error) {
        used -= bytes
        next()
        throw error
      }
    },
    release: (arena, wipe) => {
      leave(arena)
      const key = keyOf(arena.shape)
      const bytes = arenaBytes(arena.shape)
      if (wipe !== undefined) dirty.set(arena, wipe)
      if (used + stocked + bytes <= bytesMax) {
        stock.set(key, [...(stock.get(key) ?? []), arena])
        stocked += bytes
      } else clean(arena)
      next()
    },
    abandon: (arena) => {
      leave(arena)
      next()
    },
    clean,
    get usedBytes() {
      return used
    },
  }
}

function keyOf({ suite, k, rows, chunkLog2, slots }: ArenaShape): string {
  return `${suite}/${k}/${rows}/${chunkLog2}/${slots}`
}
