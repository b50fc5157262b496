// Several small transactions as one: those that wait while another is made durable share the next, and its one fsync.
import { sql } from '#database'
import type { Store } from './catalogue.ts'

type Tx = Parameters<Parameters<Store['transaction']>[0]>[0]

export interface GroupCommit {
  /** As `transaction` of the database: all of the work is durable when it resolves, none of it when it rejects. */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>
}

const GROUP_MAX = 64

interface Waiting {
  /** Runs the work; answers what is to be told once it is durable. */
  readonly work: (tx: Tx) => Promise<() => void>
  readonly reject: (error: unknown) => void
}

export function createGroupCommit(db: Store): GroupCommit {
  const queue: Waiting[] = []
  let running = false

  const together = async (group: readonly Waiting[]): Promise<void> => {
    const answers: (() => void)[] = []
    try {
      await db.transaction(async (tx) => {
        const [first] = group
        if (first !== undefined && group.length === 1) answers.push(await first.work(tx))
        else for (const one of group) answers.push(await alone(tx, one))
      })
    } catch (error) {
      for (const { reject } of group) reject(error)
      return
    }
    for (const answer of answers) answer()
  }

  const drain = async (): Promise<void> => {
    running = true
    while (queue.length > 0) await together(queue.splice(0, GROUP_MAX))
    running = false
  }

  return {
    run: (work) =>
      new Promise((resolve, reject) => {
        const answered = async (tx: Tx): Promise<() => void> => {
          const value = await work(tx)
          return () => resolve(value)
        }
        queue.push({ work: answered, reject })
        if (!running) void drain()
      }),
  }
}

/** What one refuses does not undo the others. */
async function alone(tx: Tx, { work, reject }: Waiting): Promise<() => void> {
  await sql`savepoint alone`.execute(tx)
  try {
    const answer = await work(tx)
    await sql`release alone`.execute(tx)
    return answer
  } catch (error) {
    await sql`rollback to alone`.execute(tx)
    await sql`release alone`.execute(tx)
    return () => reject(error)
  }
}
