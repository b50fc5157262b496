// A program to be killed: inserts pairs of rows for ever and says each number once it is acknowledged.
import { type DatabasePlace, insertMany } from '#database'
import { type PairTables, openPairs } from './pairs.ts'

const database = await openPairs(JSON.parse(process.argv[2]!) as DatabasePlace)
const { last } = await database.kysely
  .selectFrom('test_pair')
  .select((select) => select.fn.max('number').as('last'))
  .executeTakeFirstOrThrow()
for (let number = (last ?? 0) + 1; ; number++) {
  const pair: PairTables['test_pair'][] = [
    { number, half: 0, bytes: new Uint8Array(3000).fill(number) },
    { number, half: 1, bytes: new Uint8Array(3000).fill(number) },
  ]
  await database.transaction(async (tx) => {
    for (const half of pair) await insertMany(tx, 'test_pair', [half])
  })
  process.stdout.write(`${number}\n`)
}
