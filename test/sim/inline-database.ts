// SQLite in this very thread, without syncing: answers come in the same order whenever the same is asked.
import type { DatabasePlace } from '#database'
import { openSqlite, refusalOf } from '../../src/database/sqlite-connections.ts'
import { translate } from '../../src/database/sqlite-thread.ts'

export function inlineDatabase(file: string): DatabasePlace {
  const connections = openSqlite(file)
  connections.answer({ kind: 'run', on: 'writer', transaction: false, sql: 'pragma synchronous = off', parameters: [] })
  let closed = false
  return {
    engine: {
      call: async (request) => {
        try {
          return connections.answer(request)
        } catch (error) {
          throw translate(refusalOf(error), file)
        }
      },
      stop: async () => {
        if (!closed) connections.answer({ kind: 'close' })
        closed = true
      },
    },
  }
}
