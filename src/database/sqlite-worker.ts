// The thread that owns the SQLite connections, so that waiting for the disk holds nobody up.
import { parentPort, workerData } from 'node:worker_threads'
import type { FromThread, ToThread } from './protocol.ts'
import { openSqlite, refusalOf } from './sqlite-connections.ts'

const port = parentPort!
const connections = openSqlite((workerData as { readonly file: string }).file)

port.on('message', ({ id, request }: ToThread) => {
  let reply: FromThread
  try {
    reply = { id, answer: connections.answer(request) }
  } catch (error) {
    reply = { id, refusal: refusalOf(error) }
  }
  port.postMessage(reply)
  if (request.kind === 'close') port.close()
})
port.postMessage({ id: 0, answer: {} } satisfies FromThread)
