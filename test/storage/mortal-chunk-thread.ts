// A thread that deals two chunks as the real one does, and dies at the third while others are under way.
import '../../src/storage/chunk-thread.ts'
import { parentPort } from 'node:worker_threads'
import type { ToChunkThread } from '../../src/storage/chunk-protocol.ts'

let asked = 0
parentPort!.on('message', ({ kind }: ToChunkThread) => {
  if (kind === 'deal' && ++asked === 3) process.exit(1)
})
