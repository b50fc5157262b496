// Writes into a folder location and says after each step that it is durable: the victim of folder-crash.test.ts. Usage: ROOT ROUND
import { createFolderLocation } from '../../../src/storage/locations/folder.ts'
import { pattern, writeAll } from './support.ts'

const [root, round] = process.argv.slice(2)
if (root === undefined || round === undefined) throw new Error('usage: folder-crash-writer.ts ROOT ROUND')
const location = createFolderLocation({ root, label: 'shelf' })
process.stdout.write('began\n')
try {
  await writeAll(location, `aa/fragment-${round}`, pattern(300_000), 100_000)
  process.stdout.write('fragment\n')
  process.stdout.write(`${await location.putIfAbsent('head/v/0001', pattern(5000))}\n`)
} catch (error) {
  process.stdout.write(`${String((error as { code?: unknown }).code)}\n`)
}
