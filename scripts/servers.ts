// Real storage servers for tests, as far as their programs are installed: started on free ports, gone with this process, however it ends.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

export type ServerKind = 'ceph' | 'swift' | 's3rver' | 'postgres' | 'azurite' | 'sshd' | 'apache' | 'rclone'

export interface RunningServer {
  readonly kind: ServerKind
  /** Where it answers: `http://127.0.0.1:PORT`, of its S3 face where it has several, or the address of its database. */
  readonly endpoint: string
  /** Its own process and all below it share this group. */
  readonly groupId: number
  /** Ends the server and removes what it wrote. */
  stop(): Promise<void>
}

export interface RunningServers {
  /** To be given to tests: `QUORATE_TEST_CEPH` and so on, each an endpoint. */
  readonly env: Record<string, string>
  /** What was not found, each with the packages it needs. */
  readonly missing: string[]
  stop(): Promise<void>
}

interface Recipe {
  readonly variable: string
  readonly programs: readonly string[]
  readonly packages: string
  readonly portCount: number
  /** The arguments of the script after its folder; the endpoint listens on `ports[serving]`. */
  readonly serving: number
  readonly script: string
  /** Where it answers, when that is no web address. */
  readonly address?: (port: number, folder: string) => string
}

const START_MS = 180_000
const STOP_MS = 15_000
const START_ATTEMPTS_MAX = 3
// Below the range of outgoing connections, which begins at 32768 on Linux and at 49152 elsewhere.
const PORT_MIN = 12_000
const PORT_MAX = 32_000
const HERE = resolve(import.meta.dirname, '..')

export const RECIPES: Readonly<Record<ServerKind, Recipe>> = {
  ceph: {
    variable: 'QUORATE_TEST_CEPH',
    programs: ['bash', 'radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'monmaptool', 'uuidgen'],
    packages: 'radosgw ceph-mon ceph-osd ceph-mgr ceph-common uuid-runtime',
    portCount: 2,
    serving: 1,
    script: 'test/servers/ceph.sh',
  },
  swift: {
    variable: 'QUORATE_TEST_SWIFT',
    programs: [
      'bash',
      'swift-proxy-server',
      'swift-account-server',
      'swift-container-server',
      'swift-object-server',
      'swift-ring-builder',
      'memcached',
    ],
    packages: 'swift swift-proxy swift-account swift-container swift-object memcached',
    portCount: 5,
    serving: 0,
    script: 'test/servers/swift.sh',
  },
  s3rver: {
    variable: 'QUORATE_TEST_S3RVER',
    programs: [],
    packages: 'none, it comes by npm',
    portCount: 1,
    serving: 0,
    script: 'test/servers/s3rver.ts',
  },
  postgres: {
    variable: 'QUORATE_TEST_POSTGRES',
    programs: ['bash', 'setpriv', 'pg_lsclusters'],
    packages: 'postgresql',
    portCount: 1,
    serving: 0,
    script: 'test/servers/postgres.sh',
    address: (port) => `postgres://quorate@127.0.0.1:${port}/quorate`,
  },
  azurite: {
    variable: 'QUORATE_TEST_AZURITE',
    programs: [],
    packages: 'none, it comes by npm',
    portCount: 1,
    serving: 0,
    script: 'test/servers/azurite.ts',
  },
  sshd: {
    variable: 'QUORATE_TEST_SSHD',
    programs: ['bash', 'sshd', 'ssh-keygen', 'pgrep'],
    packages: 'openssh-server procps',
    portCount: 1,
    serving: 0,
    script: 'test/servers/sshd.sh',
    // The description of a location in the folder that it serves.
    address: (port, folder) =>
      `sftp:ssh://${userInfo().username}@127.0.0.1:${port}${folder}/root?key=${folder}/keys/client&knownHosts=${folder}/keys/known_hosts`,
  },
  apache: {
    variable: 'QUORATE_TEST_APACHE',
    programs: ['bash', 'apache2'],
    packages: 'apache2-bin',
    portCount: 1,
    serving: 0,
    script: 'test/servers/apache.sh',
  },
  rclone: {
    variable: 'QUORATE_TEST_RCLONE',
    programs: ['bash', 'rclone'],
    packages: 'rclone',
    portCount: 1,
    serving: 0,
    script: 'test/servers/rclone.sh',
  },
}

/** Starts every server whose programs are installed, all at the same time. */
export async function startServers(kinds: readonly ServerKind[] = Object.keys(RECIPES) as ServerKind[]): Promise<RunningServers> {
  const missing: string[] = []
  const running: RunningServer[] = []
  const env: Record<string, string> = {}
  const outcomes = await Promise.allSettled(kinds.map((kind) => startServer(kind)))
  for (const [index, outcome] of outcomes.entries()) {
    const kind = kinds[index]!
    if (outcome.status === 'rejected') continue
    if (outcome.value === undefined) missing.push(notFound(kind))
    else {
      running.push(outcome.value)
      env[RECIPES[kind].variable] = outcome.value.endpoint
    }
  }
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((server) => server.stop()))
  }
  const broken = outcomes.find((outcome) => outcome.status === 'rejected')
  if (broken !== undefined) {
    await stop()
    throw broken.reason
  }
  return { env, missing, stop }
}

/** One line saying what a server would need. */
export function notFound(kind: ServerKind): string {
  return `not found: ${kind} (Debian: ${RECIPES[kind].packages})`
}

/** Starts one server; undefined when its programs are not installed. Throws when it does not come up, three times and each time on other ports. */
export async function startServer(
  kind: ServerKind,
  options: { readonly env?: Record<string, string> } = {},
): Promise<RunningServer | undefined> {
  if (!RECIPES[kind].programs.every(isInstalled)) return undefined
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(kind, options)
    } catch (error) {
      // Another program may have taken a port meanwhile.
      if (attempt === START_ATTEMPTS_MAX) throw error
      console.error(`once more: ${String(error)}`)
    }
  }
}

async function startOnce(kind: ServerKind, options: { readonly env?: Record<string, string> }): Promise<RunningServer> {
  const recipe = RECIPES[kind]
  const folder = await mkdtemp(join(tmpdir(), `quorate-${kind}-`))
  const ports = await freePorts(recipe.portCount)
  const script = join(HERE, recipe.script)
  const child = spawn(script.endsWith('.ts') ? process.execPath : 'bash', [script, folder, ...ports.map(String)], {
    cwd: HERE,
    // A group of its own: a Ctrl-C here reaches us, and the closed pipe tells the script to clean up.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  await ready(kind, child)
  const port = ports[recipe.serving]!
  const endpoint = recipe.address?.(port, folder) ?? `http://127.0.0.1:${port}`
  // Neither the child nor its pipes keep this process alive.
  child.unref()
  for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as unknown as { unref(): void }).unref()
  return { kind, endpoint, groupId: child.pid!, stop: () => stopChild(child) }
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const givenPorts = new Set<number>()

/** Ports that nobody listens on now; none is given twice, and none is one that the system gives to outgoing connections by itself. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = randomInt(PORT_MIN, PORT_MAX)
    if (givenPorts.has(port)) continue
    givenPorts.add(port)
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function ready(kind: ServerKind, child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (why: string): void => {
      clearTimeout(timer)
      void stopChild(child)
      reject(new Error(`${kind} did not start: ${why}\n${said.slice(-2000)}`))
    }
    const timer = setTimeout(() => fail(`not ready after ${START_MS / 1000} s`), START_MS)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`its script ended with ${code}`))
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000)
    })
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!chunk.toString().includes('ready')) return
      clearTimeout(timer)
      child.removeAllListeners('exit')
      resolve()
    })
    // A script that has ended already leaves a closed pipe behind.
    child.stdin?.on('error', () => undefined)
  })
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  child.ref()
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.stdin?.end()
  const timer = setTimeout(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // It ended by itself meanwhile.
    }
  }, STOP_MS)
  await ended
  clearTimeout(timer)
}
