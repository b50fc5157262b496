// Makes a vault and stores one file in it, until it is killed. Usage: making-child.ts ROOT
import { join } from 'node:path'
import { openSiteStorage } from '#storage'
import { pattern, put, quiet } from './site.ts'

const [root = ''] = process.argv.slice(2)
const storage = await openSiteStorage({ home: join(root, 'home'), variables: {}, log: quiet, productVersion: 'test' })
await storage.createVault({
  threshold: 2,
  layout: 'shared',
  requireAll: false,
  locations: ['a', 'b', 'c'].map((name) => ({ spec: `folder:${join(root, name)}`, label: name })),
})
await put(storage, '/x', pattern(10))
await storage.close()
