// The servers for tests leave nothing behind, even when who started them is killed.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { it } from 'node:test'
import { freePorts, notFound, startServer } from '../../scripts/servers.ts'
import { processesBelow } from '../storage/locations/processes.ts'
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

it('ports are given once, and none that outgoing connections use', async () => {
  const ports = (await Promise.all(Array.from({ length: 50 }, () => freePorts(5)))).flat()
  assert.equal(new Set(ports).size, 250)
  assert.ok(ports.every((port) => port > 1023 && port < 32_768))
})

it('a server that ends while it starts is started once more, on other ports', async (t) => {
  await using folder = await scratch()
  const real = (process.env['PATH'] ?? '').split(delimiter).map((place) => join(place, 'rclone'))
  const program = join(folder.path, 'rclone')
  const started = join(folder.path, 'started')
  const candidates = `for real in ${real.join(' ')}; do [ -x $real ] && exec $real "$@"; done`
  await writeFile(program, `#!/bin/bash\necho "$@" >> ${started}\n[ $(wc -l < ${started}) = 1 ] && exit 1\n${candidates}\n`, {
    mode: 0o755,
  })
  const server = await startServer('rclone', { env: { PATH: `${folder.path}${delimiter}${process.env['PATH']}` } })
  if (server === undefined) return t.skip(notFound('rclone'))
  try {
    assert.equal(await answers(server.endpoint), true)
    const addresses = (await readFile(started, 'utf8')).match(/127\.0\.0\.1:\d+/g)
    assert.equal(new Set(addresses).size, 2)
  } finally {
    await server.stop()
  }
})

for (const kind of ['sshd', 'apache', 'rclone'] as const) {
  it(`of ${kind} nothing is left when it is stopped: no process, no folder`, async (t) => {
    await using folder = await scratch()
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = folder.path
    // Users of servers' own must get through.
    await chmod(folder.path, 0o711)
    try {
      const server = await startServer(kind)
      if (server === undefined) return t.skip(notFound(kind))
      const pids = processesBelow(server.groupId)
      assert.ok(pids.length > 0)
      assert.equal((await readdir(folder.path)).length, 1)
      await server.stop()
      assert.deepEqual(await readdir(folder.path), [])
      assert.ok(await untilTrue(async () => !pids.some(isThere)), 'a process is still there')
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  })
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
