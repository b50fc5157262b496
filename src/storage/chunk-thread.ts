// A thread that deals chunks in an arena of its own: plaintext comes in, records go out, keys are known as long as a dealing lasts.
import { parentPort } from 'node:worker_threads'
import { assert } from '#base'
import { type Arena, ChunkDealer, type ChunkKeys, createArena, wipeArena } from '#format'
import { type ChunkBuffers, type FromChunkThread, recordStride, type ToChunkThread } from './chunk-protocol.ts'

interface Dealing {
  readonly keys: ChunkKeys
  readonly arena: Promise<Arena>
  touchedBytes: number
}

/** Shapes of past dealings whose arenas are kept. */
const ARENAS_KEPT_MAX = 2

const port = parentPort!
const dealings = new Map<number, Dealing>()
const arenas = new Map<string, Promise<Arena>>()
let turn: Promise<void> = Promise.resolve()

// One message after the other: an arena has one user at a time. What throws ends the thread, and the site hears of it.
port.on('message', (message: ToChunkThread) => {
  turn = turn.then(() => heed(message))
})
tell({ kind: 'ready' }, [])

async function heed(message: ToChunkThread): Promise<void> {
  switch (message.kind) {
    case 'learn':
      dealings.set(message.dealing, { keys: message.keys, arena: arenaFor(message.keys), touchedBytes: 0 })
      return
    case 'deal': {
      const dealing = dealings.get(message.dealing)
      assert(dealing !== undefined, 'the thread knows the dealing')
      const recordBytes = deal(await dealing.arena, dealing, message)
      const { job, buffers } = message
      tell({ kind: 'dealt', job, recordBytes, buffers }, [buffers.plain, buffers.records])
      return
    }
    case 'forget': {
      const dealing = dealings.get(message.dealing)
      dealings.delete(message.dealing)
      if (dealing === undefined) return
      for (const key of [dealing.keys.chunkKey, dealing.keys.F, ...dealing.keys.fragmentKeys]) key.fill(0)
      wipeArena(await dealing.arena, dealing.touchedBytes)
      return
    }
    default:
      message satisfies never
  }
}

function deal(arena: Arena, dealing: Dealing, message: Extract<ToChunkThread, { kind: 'deal' }>): number {
  const { buffers, turn: chunk } = message
  const slot = arena.slots[0]!
  const dealer = new ChunkDealer(arena, dealing.keys)
  dealer.plain(slot).set(new Uint8Array(buffers.plain, 0, chunk.length))
  dealing.touchedBytes = Math.max(dealing.touchedBytes, chunk.length)
  const records = dealer.deal(slot, chunk)
  const stride = recordStride(buffers.records, dealing.keys.n)
  const into = new Uint8Array(buffers.records)
  for (const [index, record] of records.entries()) into.set(record, index * stride)
  return records[0]!.length
}

function arenaFor({ suite, k, n, chunkLog2 }: ChunkKeys): Promise<Arena> {
  const shape = { suite, k, rows: n, chunkLog2, slots: 1 }
  const key = JSON.stringify(shape)
  const arena = arenas.get(key) ?? createArena(shape)
  arenas.delete(key)
  arenas.set(key, arena)
  for (const oldest of arenas.keys()) {
    if (arenas.size <= ARENAS_KEPT_MAX) break
    arenas.delete(oldest)
  }
  return arena
}

function tell(message: FromChunkThread, buffers: ChunkBuffers[keyof ChunkBuffers][]): void {
  port.postMessage(message, buffers)
}
