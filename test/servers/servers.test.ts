// The servers for tests leave nothing behind, even when who started them is killed.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { it } from 'node:test'
import { startServer } from '../../scripts/servers.ts'
import { scratch } from '../storage/locations/support.ts'

async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    async (response) => {
      await response.body?.cancel()
      return true
    },
    () => false,
  )
}

async function untilTrue(what: () => Promise<boolean>): Promise<boolean> {
  for (let turn = 0; turn < 300; turn += 1) {
    if (await what()) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

it('a stopped server is gone', async () => {
  const server = await startServer('s3rver')
  assert.ok(server !== undefined)
  assert.equal(await answers(server.endpoint), true)
  await server.stop()
  await server.stop()
  assert.equal(await answers(server.endpoint), false)
})

it('a server goes when who started it is killed', async () => {
  await using folder = await scratch()
  const module = resolve(import.meta.dirname, '../../scripts/servers.ts')
  const program = `import { startServer } from ${JSON.stringify(module)}; console.log((await startServer('s3rver')).endpoint); setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, TMPDIR: join(folder.path) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const endpoint = await new Promise<string>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())))
  assert.equal(await answers(endpoint), true)
  assert.equal((await readdir(folder.path)).length, 1)
  child.kill('SIGKILL')
  assert.ok(await untilTrue(async () => !(await answers(endpoint))), 'it still answers')
  assert.ok(await untilTrue(async () => (await readdir(folder.path)).length === 0), 'its folder is still there')
})
