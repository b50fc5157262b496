// Uploads whose site is killed again and again: they arrive, whole, once, and leave nothing behind.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { chance } from './crash-model.ts'
import { finished, get, makeSite, pattern } from './site.ts'

const CHILD = join(import.meta.dirname, 'upload-child.ts')

async function run(
  root: string,
  sizeBytes: number,
  how: { readonly killAt?: number; readonly wrapper?: readonly string[] },
): Promise<{ readonly killed: boolean; readonly out: string }> {
  const line = [...(how.wrapper ?? []), process.execPath, CHILD, root, String(sizeBytes), String(how.killAt ?? 0)]
  const child = spawn(line[0]!, line.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, said] = ['', '']
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-4000)))
  const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (...end) => resolve({ code: end[0], signal: end[1] }))
  })
  // Under strace the shell's way of telling a signal.
  const killed = signal === 'SIGKILL' || code === 137
  assert.ok(killed || code === 0, `ended with ${code} ${signal}: ${said}`)
  return { killed, out }
}

/** Kills at calls to the locations, at random, until it ends; then holds the vault to it. */
export async function uploadSurvives(given: {
  readonly kills: number
  readonly seed: number
  readonly layout: 'shared' | 'sealed'
  readonly sizeBytes: number
  readonly say: (text: string) => void
}): Promise<void> {
  const random = chance(given.seed)
  await survives(given, async (root) => {
    let kills = 0
    while (kills < given.kills) {
      const { killed, out } = await run(root, given.sizeBytes, { killAt: 1 + random.below(120) })
      if (killed) kills++
      // It had been stored before it was killed, or nothing was left to be killed at.
      if (out.includes('stored')) break
    }
    given.say(`${kills} kills`)
  })
}

/** Kills at every fsync of one upload, `step` apart. */
export async function uploadSurvivesEachSync(given: {
  readonly first: number
  readonly step: number
  readonly sizeBytes: number
  readonly say: (text: string) => void
}): Promise<void> {
  await survives({ ...given, layout: 'shared' }, async (root) => {
    for (let when = given.first; ; when += given.step) {
      const inject = `inject=fsync,fdatasync:signal=SIGKILL:when=${when}`
      const wrapper = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', inject]
      const { killed } = await run(root, given.sizeBytes, { wrapper })
      if (!killed) return given.say(`killed at fsyncs up to ${when}, every ${given.step}`)
      assert.ok(when < 2000, 'it never ends')
    }
  })
}

async function survives(
  given: { readonly layout: 'shared' | 'sealed'; readonly sizeBytes: number },
  work: (root: string) => Promise<void>,
): Promise<void> {
  const site = await makeSite({ layout: given.layout, options: { syncWrites: true } })
  try {
    await site.storage.close()
    await work(site.root)
    const last = await run(site.root, given.sizeBytes, {})
    assert.match(last.out, /stored/)
    const storage = await site.reopen()
    assert.equal((await storage.versions({ path: '/genome.bam' })).versions.length, 1)
    assert.ok(Buffer.from(pattern(given.sizeBytes, 7)).equals(await get(storage, '/genome.bam')), 'the content')
    const scrub = await finished(storage, storage.scrub({ depth: 'tags' }))
    assert.deepEqual(scrub.report?.findings, [])
    for (const folder of site.folders) {
      const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      assert.deepEqual(
        names.filter((name) => /^[0-9a-f]{2}\/\.part-/.test(name)),
        [],
      )
    }
  } finally {
    await site.end()
  }
}
