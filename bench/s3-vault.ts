// One large file through three S3 buckets, 2-of-3, up and down: ours against rclone crypt with one copy, and with three at once.
// Twice: before a small server of ours that does nearly nothing (s3-store.ts), where clients show what they cost, and before Ceph.
import { fork } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SecretBytes, systemClock, utf8 } from '#base'
import { notFound as serverNotFound, startServer } from '../scripts/servers.ts'
import { S3Client } from '../src/storage/locations/s3/client.ts'
import { inRounds, ratio, rounded, spread } from './figures.ts'
import { find, notFound, run as runCommand } from './processes.ts'
import { engine } from './programs.ts'
import { cryptRemote, s3Remote } from './rclone.ts'
import { sha256OfFile, type Workplace } from './workplace.ts'

interface Store {
  readonly name: string
  readonly endpoint: string
  readonly id: string
  readonly secret: string
  readonly bytes: number
  readonly rounds: number
  readonly makesBuckets: boolean
  stop(): Promise<void>
}

interface Figures {
  readonly cpuS: number
  readonly wallS: number
  readonly rssBytesMax: number
}

interface Contender {
  readonly name: string
  put(): Promise<Figures>
  get(): Promise<Figures>
  /** Makes room for the next. */
  clear(): Promise<void>
}

const OURS = 'quorate, 2-of-3'
const ONE = 'rclone crypt, one copy'
const THREE = 'rclone crypt, three copies at once'
const CEPH_ROOM = 12 * 2 ** 30

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  if (find('rclone') === undefined) workplace.miss(notFound('rclone', 'rclone'))
  for (const start of [ownStore, ceph]) {
    const store = await start(workplace)
    if (store === undefined) continue
    try {
      await compare(emit, workplace, store)
    } finally {
      await store.stop()
    }
  }
}

async function compare(emit: (row: Record<string, unknown>) => void, workplace: Workplace, store: Store): Promise<void> {
  const file = await workplace.randomFile(store.bytes)
  const hash = await sha256OfFile(file)
  const out = await workplace.folder()
  const back = join(out, 'back')
  const contenders = [await ours(store, file, out), ...(find('rclone') === undefined ? [] : await rclones(store, file, out))]
  const same = async (): Promise<void> => {
    if ((await sha256OfFile(back)) !== hash) throw new Error('other bytes came back')
    await rm(back)
  }
  const results = await inRounds(contenders, store.rounds, async (contender) => {
    const put = await contender.put()
    const get = await contender.get()
    await same()
    await contender.clear()
    return { put, get }
  })
  const figures = (name: string, what: 'put' | 'get', pick: (figures: Figures) => number): number[] | undefined => {
    const contender = contenders.find((one) => one.name === name)
    return contender === undefined ? undefined : results.get(contender)!.map((result) => pick(result[what]))
  }
  const gib = store.bytes / 2 ** 30
  const cpuOf = ({ cpuS }: Figures): number => cpuS / gib
  const wallOf = ({ wallS }: Figures): number => wallS
  for (const what of ['put', 'get'] as const) {
    for (const { name } of contenders) {
      const cpu = figures(name, what, cpuOf)!
      const wall = figures(name, what, wallOf)!
      // The goal is one copy written, in both directions; what it takes to read one is told beside it.
      const cpuOfOneWritten = ratioOf(cpu, figures(ONE, 'put', cpuOf))
      const wallOfThreeWritten = ratioOf(wall, figures(THREE, 'put', wallOf))
      emit({
        bench: 's3-vault',
        store: store.name,
        what,
        contender: name,
        bytes: store.bytes,
        rounds: store.rounds,
        cpuSPerGiB: spread(cpu),
        wallS: spread(wall),
        rssMB: rounded(Math.max(...figures(name, what, ({ rssBytesMax }) => rssBytesMax)!) / 1e6),
        cpuOfOneWritten,
        wallOfThreeWritten,
        ...(what === 'get' ? { cpuOfOneRead: ratioOf(cpu, figures(ONE, 'get', cpuOf)) } : {}),
        ...(name === OURS && cpuOfOneWritten !== undefined ? { goal: 1, met: cpuOfOneWritten < 1 && wallOfThreeWritten! <= 1 } : {}),
      })
    }
  }
  await workplace.remove(out)
}

function ratioOf(mine: readonly number[], theirs: readonly number[] | undefined): number | undefined {
  return theirs === undefined ? undefined : ratio(mine, theirs)
}

/** A site with three buckets as its locations. What it cost to start is not counted: it is in docs/benchmarks.md. */
async function ours(store: Store, file: string, out: string): Promise<Contender> {
  const buckets = ['bench-qa', 'bench-qb', 'bench-qc']
  for (const bucket of buckets) await makeBucket(store, bucket)
  const locations = buckets.map((bucket) => `s3:${store.endpoint}/${bucket}`)
  const env = { AWS_ACCESS_KEY_ID: store.id, AWS_SECRET_ACCESS_KEY: store.secret }
  const job = { home: await mkdtemp(join(out, 'home-')), locations, threads: 0 }
  return {
    name: OURS,
    put: () => engine({ kind: 'put', ...job, file }, env),
    get: () => engine({ kind: 'get', ...job, file: join(out, 'back') }, env),
    clear: async () => void (await engine({ kind: 'remove', ...job, file }, env)),
  }
}

async function rclones(store: Store, file: string, out: string): Promise<Contender[]> {
  const buckets = ['bench-ra', 'bench-rb', 'bench-rc']
  for (const bucket of buckets) await makeBucket(store, bucket)
  let env = s3Remote('s', store)
  const remotes = buckets.map((_, index) => `r${index}`)
  for (const [index, bucket] of buckets.entries()) env = await cryptRemote({ name: remotes[index]!, of: `s:${bucket}`, env })
  const back = join(out, 'back')
  const one = (from: string, to: string): Promise<Figures> => runCommand({ program: 'rclone', args: ['copyto', from, to], env })
  const clear = async (names: readonly string[]): Promise<void> => {
    for (const remote of names) await runCommand({ program: 'rclone', args: ['deletefile', `${remote}:file`], env })
  }
  return [
    { name: ONE, put: () => one(file, 'r0:file'), get: () => one('r0:file', back), clear: () => clear(['r0']) },
    {
      name: THREE,
      put: () =>
        runCommand({
          program: 'bash',
          args: ['-c', 'file=$1; shift; for to; do rclone copyto "$file" "$to:file" & done; wait', 'bash', file, ...remotes],
          env,
        }),
      // One of them is enough to read.
      get: () => one('r1:file', back),
      clear: () => clear(remotes),
    },
  ]
}

async function makeBucket(store: Store, bucket: string): Promise<void> {
  if (!store.makesBuckets) return
  const client = new S3Client({
    label: store.name,
    endpoint: store.endpoint,
    bucket,
    region: 'us-east-1',
    style: 'path',
    credentials: async () => ({ accessKeyId: store.id, secretAccessKey: new SecretBytes(utf8(store.secret)) }),
    clock: systemClock,
  })
  await client.expect({ method: 'PUT' }, [409])
  client.close()
}

async function ownStore(workplace: Workplace): Promise<Store> {
  const bytes = workplace.quick ? 64 * 2 ** 20 : 2 ** 30
  const folder = await mkdtemp(join(inMemory() ?? (await workplace.folder()), 'quorate-bench-'))
  const child = fork(new URL('s3-store.ts', import.meta.url), [folder], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(message as number))
    child.once('exit', () => reject(new Error('the store did not start')))
  })
  return {
    name: 'own, in memory',
    endpoint: `http://127.0.0.1:${port}`,
    id: 'A',
    secret: 'S',
    bytes,
    rounds: workplace.quick ? 1 : 5,
    makesBuckets: false,
    stop: async () => {
      child.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Linux's file system in memory, where there is one. */
function inMemory(): string | undefined {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return undefined
  }
}

/** Its store is in memory, too, and gives room back late: smaller files, fewer rounds. */
async function ceph(workplace: Workplace): Promise<Store | undefined> {
  const server = await startServer('ceph', { env: { CEPH_BYTES: String(CEPH_ROOM) } })
  if (server === undefined) {
    workplace.miss(serverNotFound('ceph'))
    return undefined
  }
  return {
    name: 'Ceph RGW',
    endpoint: server.endpoint,
    id: 'RGWMAIN',
    secret: 'rgwmainsecret',
    bytes: workplace.quick ? 64 * 2 ** 20 : 256 * 2 ** 20,
    rounds: workplace.quick ? 1 : 3,
    makesBuckets: true,
    stop: () => server.stop(),
  }
}
