// A site that dies in the middle of an upload that goes on: at the n-th call to its locations, or by a signal.
// Usage: upload-child.ts ROOT SIZE KILL_AT (0 = never). Says where it went on, and "stored" when it is.
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { openSiteStorage } from '#storage'
import { wrapFaulty } from '../../src/storage/locations/faulty.ts'
import { pattern } from './site.ts'
import { goOn } from './uploading.ts'

const [root = '', size = '0', killAt = '0'] = process.argv.slice(2)
const bytes = pattern(Number(size), 7)
let calls = 0
const storage = await openSiteStorage({
  home: join(root, 'home'),
  variables: {},
  log: { info: () => undefined, warn: () => undefined },
  productVersion: 'test',
  logLimits: { flushMs: 20 },
  stallMs: 20_000,
  wrapLocation: (location) =>
    wrapFaulty(location, () => {
      if (++calls === Number(killAt)) process.kill(process.pid, 'SIGKILL')
      return undefined
    }),
})
const [known] = await storage.uploads()
if (known?.state === 'done') writeSync(1, 'stored\n')
else {
  const { id } = known ?? (await storage.beginUpload({ path: '/genome.bam', size: bytes.length, ifAbsent: false }))
  const { from } = await goOn(storage, id, bytes)
  writeSync(1, `${from}\nstored\n`)
}
await storage.close()
