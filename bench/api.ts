// The API of a site over its socket: 1 GiB up and down, and openings a second, against bare node:http on the same disk, and against the storage
// engine alone. What the gateway and the door cost is what the site takes beyond engine and bare HTTP together.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import { inRounds, ratio, rounded, spread } from './figures.ts'
import { engine } from './programs.ts'
import type { Workplace } from './workplace.ts'

const root = resolve(import.meta.dirname, '..')
const NODE = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1']
const START_MS = 60_000
const SMALL_FILES = 200
const AT_ONCE = 16
/** USER_HZ of Linux on every machine of today. */
const TICKS_PER_S = 100
const COST_GOAL = 1.15
const OPENINGS_GOAL = 500

interface Served extends AsyncDisposable {
  readonly name: string
  readonly socket: string
  /** User and system time of the server until now; undefined where the system does not tell. */
  cpuS(): number | undefined
}

interface Measured {
  readonly wallS: number
  readonly cpuS: number
}

type Both = { readonly [Direction in 'put' | 'get']: Measured }

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  const bytes = workplace.quick ? 64 * 2 ** 20 : 2 ** 30
  const rounds = workplace.quick ? 2 : 5
  await workplace.requireRoom(9 * bytes)
  const file = await workplace.randomFile(bytes)
  const out = await workplace.folder()
  const locations = ['a', 'b', 'c'].map((name) => join(out, name))
  await using site = await serveSite(join(out, 'home'), locations)
  await using bare = await serveBare(join(out, 'bare'), join(out, 'bare-files'))
  const servers = [site, bare]
  const alone = { name: 'the engine alone' } as const
  const results = await inRounds<Served | typeof alone, Both>([...servers, alone], rounds, (contender) =>
    contender === alone ? engineAlone(file, workplace) : throughServer(contender as Served, file, bytes),
  )
  for (const direction of ['put', 'get'] as const) {
    const of = (contender: Served | typeof alone, what: keyof Measured): number[] =>
      results.get(contender)!.map((one) => one[direction][what])
    const parts = of(bare, 'cpuS').map((cpuS, round) => cpuS + of(alone, 'cpuS')[round]!)
    for (const contender of [...servers, alone]) {
      const cost = contender === site ? ratio(of(site, 'cpuS'), parts) : undefined
      emit({
        bench: 'api',
        case: `${direction} ${bytes / 2 ** 20} MiB`,
        contender: contender.name,
        rounds,
        wallS: spread(of(contender, 'wallS')),
        cpuS: spread(of(contender, 'cpuS')),
        wallOfBare: ratio(of(contender, 'wallS'), of(bare, 'wallS')),
        ...(cost === undefined ? {} : { cpuOfEngineAndBare: cost, goal: COST_GOAL, met: cost <= COST_GOAL }),
      })
    }
  }
  const openings = workplace.quick ? 500 : 5000
  for (const { socket } of servers) for (let at = 0; at < SMALL_FILES; at++) await put(socket, `/small-${at}`, Buffer.alloc(5000, at), 5000)
  const times = await inRounds(servers, rounds, async ({ socket }) => openMany(socket, openings))
  for (const served of servers) {
    const rates = times.get(served)!.map((seconds) => openings / seconds)
    emit({
      bench: 'api',
      case: `openings, ${AT_ONCE} at once`,
      contender: served.name,
      rounds,
      perSecond: spread(rates),
      ...(served === site ? { goal: OPENINGS_GOAL, met: rounded(Math.min(...rates)) >= OPENINGS_GOAL } : {}),
    })
  }
}

/** Up, down, and gone again, so that rounds do not fill the disk. */
async function throughServer(served: Served, file: string, bytes: number): Promise<Both> {
  const measured = async (work: () => Promise<void>): Promise<Measured> => {
    const before = served.cpuS() ?? Number.NaN
    const begun = performance.now()
    await work()
    return { wallS: (performance.now() - begun) / 1000, cpuS: (served.cpuS() ?? Number.NaN) - before }
  }
  const up = await measured(() => put(served.socket, '/large', file, bytes))
  const down = await measured(() => get(served.socket, '/large', bytes))
  await send(served.socket, { method: 'DELETE', path: '/api/v1/files?path=/large&now=true' })
  return { put: up, get: down }
}

/** The same file into a vault and out of it without any HTTP. */
async function engineAlone(file: string, workplace: Workplace): Promise<Both> {
  const folder = await workplace.folder()
  const site = { home: folder, locations: ['a', 'b', 'c'].map((name) => `folder:${join(folder, name)}`) }
  try {
    const up = await engine({ kind: 'put', ...site, file })
    const down = await engine({ kind: 'get', ...site, file: '/dev/null' })
    return { put: { wallS: up.wallS, cpuS: up.cpuS }, get: { wallS: down.wallS, cpuS: down.cpuS } }
  } finally {
    await workplace.remove(folder)
  }
}

async function serveSite(home: string, locations: readonly string[]): Promise<Served> {
  await mkdir(home, { recursive: true, mode: 0o700 })
  const args = [...NODE, join(root, 'src/main/quorate.ts'), 'serve', '--json', '--port', '0']
  const child = await started(args, { QUORATE_HOME: home, QUORATE_LOG: 'error' })
  const socket = join(home, 'socket')
  const body = JSON.stringify({ threshold: 2, locations: locations.map((folder) => ({ spec: `folder:${folder}` })) })
  await send(socket, { method: 'POST', path: '/api/v1/vault', headers: { 'content-type': 'application/json' }, body: Buffer.from(body) })
  return served('quorate', socket, child)
}

async function serveBare(socket: string, folder: string): Promise<Served> {
  await mkdir(folder, { recursive: true })
  return served('bare node:http', socket, await started([...NODE, join(root, 'bench/bare-http.ts'), socket, folder], {}))
}

function served(name: string, socket: string, child: ChildProcess): Served {
  return {
    name,
    socket,
    cpuS: () => cpuOf(child.pid!),
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Resolves with the first line of a program that then goes on. */
async function started(args: readonly string[], env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  await Promise.race([
    once(child.stdout, 'data', { signal: AbortSignal.timeout(START_MS) }),
    once(child, 'exit').then(() => Promise.reject(new Error(`${args.at(-1)} ended at its start`))),
  ])
  child.stdout.resume()
  return child
}

function cpuOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S
  } catch {
    return undefined
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: Buffer | AsyncIterable<Uint8Array>
}

/** Answers how many bytes came; throws when the server refuses. */
async function send(socketPath: string, { method, path, headers = {}, body }: Sent): Promise<number> {
  const request = httpRequest({ socketPath, agent, method, path, headers: { host: 'localhost', ...headers } })
  const answered = once(request, 'response')
  if (body === undefined || body instanceof Buffer) request.end(body)
  else {
    for await (const part of body) if (!request.write(part)) await once(request, 'drain')
    request.end()
  }
  const [response] = (await answered) as [IncomingMessage]
  let length = 0
  for await (const part of response) length += (part as Buffer).length
  if (response.statusCode! >= 300) throw new Error(`${method} ${path} was answered ${response.statusCode}`)
  return length
}

async function put(socket: string, path: string, source: string | Buffer, size: number): Promise<void> {
  const body = typeof source === 'string' ? createReadStream(source, { highWaterMark: 2 ** 20 }) : source
  await send(socket, { method: 'PUT', path: `/api/v1/content?path=${path}`, headers: { 'content-length': String(size) }, body })
}

async function get(socket: string, path: string, size: number): Promise<void> {
  const length = await send(socket, { method: 'GET', path: `/api/v1/content?path=${path}` })
  if (length !== size) throw new Error(`${path} gave ${length} of ${size} bytes`)
}

/** Seconds for so many openings of one byte each, of files in turn. */
async function openMany(socket: string, count: number): Promise<number> {
  let next = 0
  const begun = performance.now()
  const worker = async (): Promise<void> => {
    while (next < count) {
      const path = `/api/v1/content?path=/small-${next++ % SMALL_FILES}`
      const length = await send(socket, { method: 'GET', path, headers: { range: 'bytes=7-7' } })
      if (length !== 1) throw new Error(`${path} gave ${length} bytes`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return (performance.now() - begun) / 1000
}
