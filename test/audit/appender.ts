// A program to be killed: appends entries for ever, many at once, and says each place once it is acknowledged.
import { auditMigrations, type AuditTables, openAudit } from '#audit'
import { systemClock } from '#base'
import { openDatabase } from '#database'
import { opened } from './homes-of-children.ts'

const [folder, file] = process.argv.slice(2)
const db = await openDatabase<AuditTables>({ file: file!, migrations: auditMigrations })
const audit = await openAudit({ db, clock: systemClock, home: folder! })
const one = async (worker: number): Promise<never> => {
  for (let n = 0; ; n++) {
    const { index } = await audit.append(opened(worker * 1_000_000 + n))
    process.stdout.write(`${index}\n`)
  }
}
await Promise.all(Array.from({ length: 20 }, (_, worker) => one(worker)))
