// A database thread that answers nothing of interest, and dies when a statement says so.
import { parentPort } from 'node:worker_threads'
import type { ToThread } from '../../src/database/protocol.ts'

parentPort!.on('message', ({ id, request }: ToThread) => {
  if ('sql' in request && request.sql === 'exit') process.exit(1)
  if ('sql' in request && request.sql === 'throw') throw new Error('an accident')
  parentPort!.postMessage({ id, answer: {} })
})
parentPort!.postMessage({ id: 0, answer: {} })
