// One real server of a vault is killed, stopped or filled in the middle of a put, a get or a repair, and the vault is held to what it said.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { equalPublic } from '#base'
import type { Location, SiteStorage } from '#storage'
import { type RunningServer, type ServerKind, startServer } from '../../scripts/servers.ts'
import { formatLocation } from '../../src/storage/locations/config.ts'
import { type Fault, type FaultyCall, wrapFaulty } from '../../src/storage/locations/faulty.ts'
import { ACCOUNT, KEY, makeContainer } from './locations/azure-servers.ts'
import { processesBelow, signalled, thaw } from './locations/processes.ts'
import { clientFor, KEYS, keysOf, makeBucket, type TestServer } from './locations/s3-servers.ts'
import { sftpConfigOn } from './locations/sftp-servers.ts'
import { WEBDAV_USER, webdavFolder } from './locations/webdav-servers.ts'
import { finished, get, makeSite, pattern, put, type TestSite } from './site.ts'

export const SERVERS = ['sshd', 'apache', 'azurite', 'ceph', 'swift'] as const
export type MatrixServer = (typeof SERVERS)[number]
export const FAULTS = ['kill', 'stop', 'fill'] as const
export type MatrixFault = (typeof FAULTS)[number]
export const WORKS = ['put', 'get', 'repair'] as const
export type Work = (typeof WORKS)[number]

const MIB = 2 ** 20
const LARGE = pattern(12_000_000, 3)
const DISK_BYTES = 96 * MIB
const CEPH_BYTES = 256 * MIB
/** A store without memory lets writers wait: so long is long. */
const STUCK_MS = 8000
const FILLING_BYTES = 4 * MIB
const FILLINGS_MAX = 400
const FILLING_PAUSE_MS = 100

/** A server of its own for each cell: most do not survive it. */
export async function cell(kind: MatrixServer, fault: MatrixFault, work: Work): Promise<void> {
  await using victim = await Victim.start(kind, fault)
  const site = await makeSite({
    vault: false,
    count: 3,
    options: { stallMs: 4000, hedgeMs: 200, checkMs: 3000, wrapLocation: victim.wrap },
  })
  try {
    await site.storage.createVault({
      name: 'Matrix',
      threshold: 2,
      layout: 'shared',
      requireAll: false,
      locations: [
        { spec: `folder:${site.folders[0]}`, label: 'a' },
        { spec: `folder:${site.folders[1]}`, label: 'b' },
        { spec: await victim.specIn(site), label: 'far' },
      ],
    })
    assert.equal((await put(site.storage, '/before', pattern(300_000, 1))).acknowledged, 3)
    if (work === 'put') await duringPut(site, victim)
    else if (work === 'get') await duringGet(site, victim)
    else await duringRepair(site, victim)
    // What is stored while it is so.
    const after = await put(site.storage, '/after', pattern(9_000_000, 5))
    assert.deepEqual(after.laggards, ['far'], 'it takes nothing now')
    await requireReadable(site.storage)
    assert.notEqual((await site.storage.status({ check: true })).health, 'healthy')
    await site.reopen()
    await requireReadable(site.storage)
    if (await victim.relieve()) await requireWhole(site.storage)
    else await requireLeft(site)
    await requireReadable(site.storage)
  } finally {
    victim.end()
    await site.end()
  }
}

async function duringPut(site: TestSite, victim: Victim): Promise<void> {
  const grant = await site.storage.openToWrite({ path: '/large', ifAbsent: false })
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield LARGE.subarray(0, 5_000_000)
    await victim.strike()
    yield LARGE.subarray(5_000_000)
  }
  const stored = await grant.store(body())
  assert.deepEqual(stored.laggards, ['far'])
}

async function duringGet(site: TestSite, victim: Victim): Promise<void> {
  assert.equal((await put(site.storage, '/large', LARGE)).acknowledged, 3)
  for (const delayMs of [300, 1500, 3500]) {
    // The other place is slow to begin, so that the server is among those that are read.
    victim.plan = (label, call) => (label === 'b' && call.operation === 'open' ? { kind: 'delay', ms: delayMs } : undefined)
    victim.reads = 0
    const opened = await site.storage.openToRead({ path: '/large' })
    try {
      const parts: Uint8Array[] = []
      for await (const part of opened.read({ first: 0, last: LARGE.length - 1 })) {
        parts.push(part.slice())
        if (parts.length !== 1 || victim.reads === 0) continue
        victim.plan = () => undefined
        await victim.strike()
      }
      assert.ok(equalPublic(Buffer.concat(parts), LARGE))
    } finally {
      victim.plan = () => undefined
      await opened.close()
    }
    if (victim.struck) return
  }
  assert.fail('the server was never read')
}

async function duringRepair(site: TestSite, victim: Victim): Promise<void> {
  victim.plan = (label, call) =>
    label === 'far' && call.operation === 'create' ? { kind: 'fail', when: 'before', code: 'location.unreachable' } : undefined
  assert.deepEqual((await put(site.storage, '/large', LARGE)).laggards, ['far'])
  let striking: Promise<void> | undefined
  victim.plan = (label, call) => {
    if (label === 'far' && call.operation === 'write' && call.name !== undefined) striking ??= victim.strike()
    return undefined
  }
  await site.storage.status({ check: true })
  if (victim.slow) await (striking = victim.strike())
  const task = await finished(site.storage, site.storage.repair({}))
  assert.ok(striking !== undefined, 'the repair wrote nothing there')
  await striking
  victim.plan = () => undefined
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  const found = task.report!.findings
  assert.ok(found.length > 0 && found.every(({ location }) => location === 'far'), JSON.stringify(found))
}

async function requireReadable(storage: SiteStorage): Promise<void> {
  assert.ok(equalPublic(await get(storage, '/before'), pattern(300_000, 1)))
  assert.ok(equalPublic(await get(storage, '/large'), LARGE))
  assert.ok(equalPublic(await get(storage, '/after'), pattern(9_000_000, 5)))
}

/** The server is as before: repair makes the vault whole. Calls that were begun before may still fail for a while. */
async function requireWhole(storage: SiteStorage): Promise<void> {
  for (let round = 0; ; round++) {
    await storage.status({ check: true })
    const { report } = await finished(storage, storage.repair({}))
    const { health, messages } = await storage.status({ check: true })
    if (health === 'healthy') break
    assert.ok(round < 60, JSON.stringify([messages, report?.findings]))
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  const scrub = await finished(storage, storage.scrub({ depth: 'full' }))
  assert.deepEqual(scrub.report!.findings, [])
}

/** The server is gone for good: another place takes its part. */
async function requireLeft(site: TestSite): Promise<void> {
  const { storage } = site
  await storage.addLocation({ spec: `folder:${site.folders[2]}`, label: 'c' })
  await storage.requestChange({ leave: [{ location: 'far', abandon: true }] })
  for (let round = 0; ; round++) {
    const { state, task, waits } = await storage.change()
    if (state === 'idle') break
    assert.ok(round < 100, waits.join())
    if (task === null) await storage.requestChange({})
    else await finished(storage, Promise.resolve({ id: task }))
  }
  await finished(storage, storage.repair({}))
  const { health, locations, messages } = await storage.status({ check: true })
  assert.deepEqual(
    locations.map(({ label }) => label),
    ['a', 'b', 'c'],
  )
  assert.equal(health, 'healthy', JSON.stringify(messages))
  assert.deepEqual((await finished(storage, storage.scrub({ depth: 'tags' }))).report!.findings, [])
}

/** A server of our own, and what becomes of it. */
class Victim implements AsyncDisposable {
  readonly #kind: MatrixServer
  readonly #fault: MatrixFault
  readonly #server: RunningServer
  readonly #disk: Disk | undefined
  #late: Disk | undefined
  #filler: (() => Promise<void>) | undefined
  #stopped: readonly number[] = []
  struck = false
  /** Runs of bytes that it was asked for. */
  reads = 0
  plan: (label: string, call: FaultyCall) => Fault | undefined = () => undefined

  private constructor(kind: MatrixServer, fault: MatrixFault, given: { readonly server: RunningServer; readonly disk: Disk | undefined }) {
    this.#kind = kind
    this.#fault = fault
    this.#server = given.server
    this.#disk = given.disk
  }

  static async start(kind: MatrixServer, fault: MatrixFault): Promise<Victim> {
    if (fault !== 'fill') return new Victim(kind, fault, { server: (await startServer(kind))!, disk: undefined })
    if (kind === 'ceph')
      return new Victim(kind, fault, {
        server: (await startServer(kind, { env: { CEPH_BYTES: String(CEPH_BYTES) } }))!,
        disk: undefined,
      })
    // Apache goes into a folder of its own choice, which gets its disk later.
    if (kind === 'apache') return new Victim(kind, fault, { server: (await startServer(kind))!, disk: undefined })
    const disk = Disk.mount(mkdtempSync(join(tmpdir(), 'disk-')))
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = disk.folder
    try {
      return new Victim(kind, fault, { server: (await startServer(kind))!, disk })
    } catch (error) {
      disk.end()
      throw error
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  }

  readonly wrap = (location: Location): Location =>
    wrapFaulty(location, (call) => {
      if (location.label === 'far' && call.operation === 'read') this.reads += 1
      return this.plan(location.label, call)
    })

  /** It takes longer than what it is to happen in the middle of. */
  get slow(): boolean {
    return this.#kind === 'ceph' && this.#fault === 'fill'
  }

  async specIn(site: TestSite): Promise<string> {
    const { endpoint } = this.#server
    const kind = this.#kind
    if (kind === 'sshd') {
      const config = await sftpConfigOn(endpoint)
      if (this.#disk !== undefined) this.#filler = this.#disk.filler()
      return formatLocation(config)
    }
    const file = join(site.root, 'credentials')
    const query = `credentials=${encodeURIComponent(file)}`
    if (kind === 'apache') {
      const folder = await webdavFolder(endpoint)
      await writeFile(file, `user = "${WEBDAV_USER.user}"\npassword = "${WEBDAV_USER.password}"\n`, { mode: 0o600 })
      if (this.#fault === 'fill') {
        const disk = Disk.mount(join(apacheRoot(this.#server), folder), 'www-data')
        this.#late = disk
        this.#filler = disk.filler()
      }
      return `webdav:${endpoint}/${folder}?${query}`
    }
    if (kind === 'azurite') {
      const { containerName } = await makeContainer(endpoint)
      await writeFile(file, `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY}`, { mode: 0o600 })
      if (this.#disk !== undefined) this.#filler = this.#disk.filler()
      return `azure:${endpoint}/${ACCOUNT}/${containerName}/v?${query}`
    }
    const { id, secret } = KEYS[kind]
    const server: TestServer = { kind, endpoint, credentials: keysOf(id, secret) }
    const bucket = await makeBucket(server)
    await writeFile(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`, { mode: 0o600 })
    if (this.#fault === 'fill') this.#filler = kind === 'ceph' ? () => fillCeph(server) : this.#disk!.filler()
    return `s3:${endpoint}/${bucket}/vault?${query}`
  }

  /** What is to happen, once. */
  async strike(): Promise<void> {
    this.struck = true
    if (this.#fault === 'fill') return this.#filler!()
    const pids = processesBelow(this.#server.groupId).filter(isOfServer)
    assert.ok(pids.length > 0, 'it has no process')
    for (const pid of pids) signalled(pid, this.#fault === 'kill' ? 'SIGKILL' : 'SIGSTOP')
    this.#stopped = this.#fault === 'stop' ? pids : []
    await untilState(pids)
  }

  /** True when it is as before. */
  async relieve(): Promise<boolean> {
    if (this.#fault === 'kill') return false
    if (this.#fault === 'stop') {
      thaw(this.#stopped)
      this.#stopped = []
      return true
    }
    const disk = this.#late ?? this.#disk
    disk?.free()
    // What fills a store in memory stays.
    return disk !== undefined
  }

  /** Nothing waits for it any more. */
  end(): void {
    thaw(this.#stopped)
    this.#stopped = []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
    this.#late?.end()
    await this.#server.stop()
    this.#disk?.end()
  }
}

/** Not of the script that started it, which ends with what it waits for. */
function isOfServer(pid: number): boolean {
  try {
    return !['bash', 'cat'].includes(readFileSync(`/proc/${pid}/comm`, 'utf8').trim())
  } catch {
    return false
  }
}

/** Until each is stopped or gone. */
async function untilState(pids: readonly number[]): Promise<void> {
  const still = (pid: number): boolean => {
    try {
      return !/\) [TZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    } catch {
      return false
    }
  }
  for (let look = 0; look < 1000 && pids.some(still); look++) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A small file system that can be filled and emptied. */
class Disk {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static mount(folder: string, owner?: string): Disk {
    const own = owner === undefined ? 'mode=711' : `mode=755,uid=${idOf(owner)}`
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},${own}`, 'none', folder], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    if (owner === undefined) chmodSync(folder, 0o711)
    return new Disk(folder)
  }

  filler(): () => Promise<void> {
    return async () => {
      const file = openSync(this.#file, 'w')
      try {
        const piece = Buffer.alloc(MIB / 4)
        for (let written = 0; written < DISK_BYTES; written += piece.length) writeSync(file, piece)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        closeSync(file)
      }
    }
  }

  free(): void {
    rmSync(this.#file, { force: true })
  }

  end(): void {
    spawnSync('umount', ['-l', this.folder])
  }

  get #file(): string {
    return join(this.folder, 'filler')
  }
}

function idOf(user: string): string {
  return spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout.trim()
}

function apacheRoot(server: RunningServer): string {
  for (const pid of processesBelow(server.groupId)) {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const at = words.indexOf('-f')
    if (at > 0 && words[at + 1]?.endsWith('httpd.conf')) return join(dirname(words[at + 1]!), 'root')
  }
  throw new Error('apache says not where it is')
}

/** It notices some seconds late that its memory is full; then it takes nothing for a while. */
async function fillCeph(server: TestServer): Promise<void> {
  const bucket = await makeBucket(server)
  const client = clientFor(server, bucket)
  const piece = Buffer.alloc(FILLING_BYTES)
  try {
    for (let index = 0; index < FILLINGS_MAX; index++) {
      // What it is late with is not kept twice.
      const key = `filler/${index % Math.ceil(CEPH_BYTES / FILLING_BYTES)}`
      const taken = await client.expect({ method: 'PUT', key, body: [piece], signal: AbortSignal.timeout(STUCK_MS) }).then(
        () => true,
        () => false,
      )
      if (!taken) return
      await new Promise((resolve) => setTimeout(resolve, FILLING_PAUSE_MS))
    }
  } finally {
    client.close()
  }
  assert.fail('it takes everything')
}

/** Why such a cell cannot be tried here. */
export function noCell(kind: ServerKind, fault: MatrixFault): string | undefined {
  if (fault !== 'fill' || kind === 'ceph') return undefined
  const folder = mkdtempSync(join(tmpdir(), 'mount-'))
  const tried = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder])
  if (tried.status === 0) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true })
  return tried.status === 0 ? undefined : 'nothing may be mounted here: no disk of a server was filled'
}
