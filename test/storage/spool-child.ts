// Writes a spool where files may not grow: says how that ended, and that the process lives on.
import { Failure } from '#base'
import { createSpool } from '../../src/storage/spool.ts'

const spool = await createSpool(process.argv[2]!)
try {
  for (let line = 0; line < 20_000; line++) {
    await spool.write('x'.repeat(100))
    // What fails while nobody waits for it would end the process.
    if (line % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await spool.end()
  console.log('whole')
} catch (error) {
  console.log(error instanceof Failure ? `${error.code}: ${error.message}` : String(error))
} finally {
  await spool[Symbol.asyncDispose]()
}
