// A site for one command: the running one by its socket, else one in this process that has the home to itself.
import { connect as connectSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '#base'
import { loadSocketTransport, type ConnectRequest, type Connection } from '../cli/cli.ts'
import type { Environment } from './environment.ts'
import { busy, readHolder, tryLock, type HomeLock } from './home-lock.ts'
import { homePaths, prepareHome, type HomePaths } from './home.ts'
import { operator } from './operator.ts'
import { socketAddress } from './socket-address.ts'

const RETRY_MS = 50
/** A running site answers its socket at once; one that does not for so long hangs. */
const ANSWER_MS = 10_000
const CLOSE_MS = 30_000

export async function connect(environment: Environment, request: ConnectRequest, signal: AbortSignal): Promise<Connection> {
  const paths = homePaths(request.home ?? environment.home)
  const until = performance.now() + request.waitMs
  if (request.onlyRunning === true) {
    const running = await runningSite(paths, ANSWER_MS)
    if (running === undefined) throw new Failure('api.unreachable')
    return running
  }
  for (;;) {
    const running = await runningSite(paths, Math.max(RETRY_MS, Math.min(ANSWER_MS, request.waitMs)))
    if (running !== undefined) return running
    await prepareHome(paths)
    const lock = await tryLock(paths, request.command)
    if (lock !== undefined) return ownSite(environment, request, paths, lock)
    if (performance.now() >= until) throw busy(paths, await readHolder(paths), true)
    await sleep(RETRY_MS, undefined, { signal }).catch(() => {
      throw new Failure('base.cancelled')
    })
  }
}

/** The site behind the socket; undefined when nobody listens. One that listens and does not answer is `storage.home-busy`. */
async function runningSite(paths: HomePaths, patienceMs: number): Promise<Connection | undefined> {
  const address = socketAddress(paths.socket)
  if (!(await listens(address.path))) {
    address.close()
    return undefined
  }
  const [{ socketTransport }, { createClient }] = await Promise.all([loadSocketTransport(), import('#contract')])
  const transport = socketTransport(address.path)
  const close = async (): Promise<void> => {
    transport.close()
    address.close()
  }
  try {
    await transport.call({ method: 'GET', target: '/health', headers: {}, signal: AbortSignal.timeout(patienceMs) })
  } catch {
    await close()
    throw busy(paths, await readHolder(paths), false)
  }
  return { client: createClient(transport.call), close }
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function ownSite(environment: Environment, request: ConnectRequest, paths: HomePaths, lock: HomeLock): Promise<Connection> {
  try {
    const [{ openSite }, { ringFindings }, { databasePlace }, { inProcessTransport }, { createLog }, { createClient }] = await Promise.all([
      import('./site.ts'),
      import('./alarm-watch.ts'),
      import('./database-place.ts'),
      import('../gateways/api/in-process-transport.ts'),
      import('./log.ts'),
      import('#contract'),
    ])
    const log = await createLog(environment.logLevel ?? 'silent')
    const { variables } = environment
    const database = await databasePlace(paths.folder, environment)
    const site = await openSite({ home: paths.folder, environment: variables, passphrase: request.passphrase, database, log })
    const local = operator()
    return {
      client: createClient(inProcessTransport(site.access.enter(local), { identity: site.identity, operator: local })),
      async close() {
        await ringFindings(site, site.storage.tasks()).catch(() => undefined)
        await Promise.race([site.close(), sleep(CLOSE_MS, undefined, { ref: false })])
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}
