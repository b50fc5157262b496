// Ranged reads of 256 KiB at random places of one large object over three folders: ours, the same from the plain file, and rclone crypt.
// Everything is in the system's cache: what is measured is the way through the program, not the disk.
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { open, mkdir } from 'node:fs/promises'
import { Agent, get as httpGet } from 'node:http'
import { join } from 'node:path'
import { freePorts } from '../scripts/servers.ts'
import { openVault } from './engine.ts'
import { inRounds, quantile, rounded } from './figures.ts'
import { find, notFound, run as runCommand } from './processes.ts'
import { cryptRemote } from './rclone.ts'
import { engine } from './programs.ts'
import type { Workplace } from './workplace.ts'

const READ_BYTES = 256 * 1024
const WARM_READS = 50

interface Contender extends AsyncDisposable {
  readonly name: string
  read(offset: number): Promise<Uint8Array>
}

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  const bytes = workplace.quick ? 64 * 2 ** 20 : 2 ** 30
  const reads = workplace.quick ? 100 : 2000
  await workplace.requireRoom(6 * bytes)
  const file = await workplace.randomFile(bytes)
  const out = await workplace.folder()
  const contenders = [await ofFile(file), await ofVault(file, out, bytes)]
  if (find('rclone') === undefined) workplace.miss(notFound('rclone', 'rclone'))
  else contenders.push(await ofRclone(file, join(out, 'rclone')))
  try {
    const plain = contenders[0]!
    for (const contender of contenders) {
      for (let turn = 0; turn < WARM_READS; turn++) {
        const offset = randomInt(bytes - READ_BYTES)
        const [ours, right] = [await contender.read(offset), await plain.read(offset)]
        if (!Buffer.from(ours).equals(right)) throw new Error(`${contender.name} reads other bytes`)
      }
    }
    const times = await inRounds(contenders, reads, async (contender) => {
      const offset = randomInt(bytes - READ_BYTES)
      const begun = performance.now()
      await contender.read(offset)
      return performance.now() - begun
    })
    for (const contender of contenders) {
      const mine = times.get(contender)!
      emit({
        bench: 'random-reads',
        contender: contender.name,
        bytes: READ_BYTES,
        ofBytes: bytes,
        reads,
        p50Ms: rounded(quantile(mine, 0.5)),
        p99Ms: rounded(quantile(mine, 0.99)),
        p50OfPlain: rounded(quantile(mine, 0.5) / quantile(times.get(plain)!, 0.5)),
      })
    }
  } finally {
    for (const contender of contenders) await contender[Symbol.asyncDispose]()
    await workplace.remove(out)
  }
}

async function ofFile(file: string): Promise<Contender> {
  const handle = await open(file)
  const into = new Uint8Array(READ_BYTES)
  return {
    name: 'the plain file',
    read: async (offset) => {
      await handle.read(into, 0, READ_BYTES, offset)
      return into
    },
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** Each read as a request does it: opened, read, closed. */
async function ofVault(file: string, out: string, bytes: number): Promise<Contender> {
  const site = { home: out, locations: ['a', 'b', 'c'].map((place) => `folder:${join(out, place)}`), threads: 0 }
  await engine({ kind: 'put', ...site, file })
  const storage = await openVault(site)
  const into = new Uint8Array(READ_BYTES)
  return {
    name: 'quorate',
    read: async (offset) => {
      const grant = await storage.openToRead({ path: '/bench' })
      if (grant.sizeBytes !== bytes) throw new Error('another object')
      let at = 0
      for await (const piece of grant.read({ first: offset, last: offset + READ_BYTES - 1 })) {
        into.set(piece, at)
        at += piece.length
      }
      await grant.close()
      return into
    },
    [Symbol.asyncDispose]: () => storage.close(),
  }
}

/** `rclone serve http` over an encrypted folder, by one kept connection. */
async function ofRclone(file: string, folder: string): Promise<Contender> {
  await mkdir(folder)
  const env = await cryptRemote({ name: 'c', of: folder, env: {} })
  await runCommand({ program: 'rclone', args: ['copyto', file, 'c:file'], env })
  const [port] = await freePorts(1)
  const server = spawn('rclone', ['serve', 'http', 'c:', '--addr', `127.0.0.1:${port}`], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const read = (offset: number): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const headers = { range: `bytes=${offset}-${offset + READ_BYTES - 1}` }
      const request = httpGet({ agent, host: '127.0.0.1', port, path: '/file', headers }, (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () => resolve(Buffer.concat(parts)))
        answer.on('error', reject)
      })
      request.on('error', reject)
    })
  for (let attempt = 0; ; attempt++) {
    try {
      await read(0)
      break
    } catch (error) {
      if (attempt === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return {
    name: 'rclone crypt, served by HTTP',
    read,
    [Symbol.asyncDispose]: async () => {
      agent.destroy()
      server.kill('SIGKILL')
    },
  }
}
