// Makes the small vault of this release that every later release must open (test/storage/release-vaults.test.ts). Once for each version.
// Usage: make-release-vault.ts
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openSiteStorage } from '#storage'
import { filesOf } from '../test/storage/crash-run.ts'
import { finished, pattern, put, quiet } from '../test/storage/site.ts'

const root = resolve(import.meta.dirname, '..')
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }

for (const layout of ['shared', 'sealed'] as const) {
  const target = join(root, 'test/data/vaults', version, layout)
  if (existsSync(target)) {
    console.error(`${target} is there already: a vault of a release is never made anew`)
    process.exitCode = 1
    break
  }
  const scratch = await mkdtemp(join(tmpdir(), 'release-vault-'))
  const home = join(scratch, 'home')
  const folders = ['a', 'b', 'c'].map((name) => join(scratch, name))
  await mkdir(home, { mode: 0o700 })
  const storage = await openSiteStorage({ home, variables: {}, log: quiet, productVersion: version })
  const { dealer } = await storage.createVault({
    name: 'Release',
    threshold: 2,
    layout,
    requireAll: false,
    locations: folders.map((folder) => ({ spec: `folder:${folder}` })),
  })
  await put(storage, '/readme.txt', pattern(700, 1))
  await put(storage, '/study/scan.dcm', pattern(1500, 2))
  await put(storage, '/study/scan.dcm', pattern(1501, 3))
  await put(storage, '/Größe/深さ 🧬.csv', pattern(300, 4))
  await put(storage, '/empty', new Uint8Array(0))
  await put(storage, '/gone', pattern(10, 5))
  await storage.remove({ path: '/gone', recursive: false })
  await storage.copy({ from: '/readme.txt', to: '/study/copy.txt', replace: false })
  await storage.move({ from: '/study', to: '/archive/study', replace: false })
  // One fragment is of the second hand.
  const { fragments } = await storage.placement({ path: '/readme.txt' })
  await rename(join(folders[1]!, fragments[1]!.name!), join(scratch, 'lost'))
  await finished(storage, storage.scrub({ depth: 'present' }))
  await finished(storage, storage.repair({}))
  const files = Object.fromEntries(await filesOf(storage))
  await storage.close()
  await mkdir(target, { recursive: true })
  for (const [index, name] of ['a', 'b', 'c'].entries()) {
    await rm(join(folders[index]!, 'probe'), { recursive: true, force: true })
    // Kept small: the newest head is enough.
    const heads = (await readdir(join(folders[index]!, 'head'), { recursive: true })).filter((head) => head.includes('/')).toSorted()
    for (const head of heads.slice(0, -1)) await rm(join(folders[index]!, 'head', head))
    await cp(folders[index]!, join(target, name), { recursive: true })
  }
  await writeFile(join(target, 'expect.json'), `${JSON.stringify({ version, layout, threshold: 2, dealer, files }, undefined, 2)}\n`)
  await rm(scratch, { recursive: true })
  console.log(target)
}
