// A site that begins an upload, tells the vault of it, and dies in the middle.
// Usage: upload-lost-child.ts ROOT SIZE
import { join } from 'node:path'
import { openSiteStorage } from '#storage'
import { settled } from './several-sites.ts'
import { pattern, pieces } from './site.ts'

const [root = '', size = '0'] = process.argv.slice(2)
const bytes = pattern(Number(size), 7)
const storage = await openSiteStorage({
  home: join(root, 'home'),
  variables: {},
  log: { info: () => undefined, warn: () => undefined },
  productVersion: 'test',
  logLimits: { flushMs: 20 },
  stallMs: 20_000,
})
const { id, turn } = await storage.beginUpload({ path: '/genome.bam', size: bytes.length, ifAbsent: false })
await settled(storage)
const cut = Math.floor(bytes.length * 0.4)
async function* dying(): AsyncGenerator<Uint8Array> {
  yield* pieces(bytes.subarray(0, cut))
  process.kill(process.pid, 'SIGKILL')
}
await storage.sendUpload(id, { turn, offset: 0 }, dying())
