// The real program reached from outside: its own certificate, given ones that change on the disk, and starts that are refused.
import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { certificate, type Made } from '../gateways/api/outside/certificates.ts'
import { quorate, scratch, start, type Scratch } from '../cli/support.ts'

const DAY_MS = 86_400_000
const soon = (): Made => certificate({ names: ['localhost'], until: new Date(Date.now() + 90 * DAY_MS) })

interface Served {
  readonly url: string
  readonly outside: {
    readonly url: string
    readonly listening: readonly string[]
    readonly install?: string
    readonly fingerprint?: string
  }
}

async function serve(at: Scratch, args: readonly string[]) {
  const site = start(at, ['serve', '--port', '0', '--json', '--public-url', 'https://localhost', ...args], { direct: true })
  let out = ''
  site.child.stdout!.on('data', (part: Buffer) => (out += part.toString()))
  await site.said(/"outside":.*\n/)
  const served = JSON.parse(out) as Served
  const port = Number(/:(\d+)$/.exec(served.outside.listening[0] ?? '')?.[1])
  return {
    ...served,
    port,
    async [Symbol.asyncDispose]() {
      site.child.kill('SIGTERM')
      await site.ended
    },
  }
}

function get(port: number, ca: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, servername: 'localhost', ca, path, headers: { host: 'localhost' }, agent: false },
      (answer) => {
        let body = ''
        answer.on('data', (part: Buffer) => (body += part.toString()))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

function fingerprint(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

test('with a name alone the site makes its authority, serves under it, and says how to trust it on this machine only', async () => {
  await using at = await scratch()
  await using site = await serve(at, ['--listen', '127.0.0.1:0'])
  const ca = await readFile(join(at.home, 'tls', 'authority.crt'), 'utf8')
  assert.deepEqual(await get(site.port, ca, '/health'), { status: 200, body: '{"status":"ok"}' })
  assert.equal((await get(site.port, ca, '/api/v1/files?path=/')).status, 401)
  assert.equal((await get(site.port, ca, '/install')).status, 404)
  const sheet = await (await fetch(site.outside.install!)).text()
  assert.ok(sheet.includes(site.outside.fingerprint!.split(':').slice(0, 8).join(' ')))
})

test('certificates that change on the disk are taken up; a broken pair keeps the old one and rings', async () => {
  await using at = await scratch()
  const [first, second] = [soon(), soon()]
  const files = { certificate: join(at.folder, 'site.pem'), key: join(at.folder, 'site.key') }
  const put = async (made: Pick<Made, 'pair'>): Promise<void> => {
    for (const name of ['certificate', 'key'] as const) {
      await writeFile(`${files[name]}.new`, made.pair[name])
      await rename(`${files[name]}.new`, files[name])
    }
  }
  await put(first)
  await using site = await serve(at, ['--listen', '127.0.0.1:0', '--certificate', 'site.pem', '--certificate-key', files.key])
  const before = await fingerprint(site.port, first.authority)
  await put(second)
  let now = before
  while (now === before) {
    await new Promise((done) => setTimeout(done, 200))
    now = await fingerprint(site.port, first.authority)
  }
  await put(certificate({ names: ['other.example'] }))
  let alarms: { code: string }[] = []
  while (alarms.length === 0) {
    await new Promise((done) => setTimeout(done, 500))
    const listed = await quorate(at, ['alarms', '--json'])
    alarms = (JSON.parse(listed.out.toString()) as { alarms: { code: string }[] }).alarms
  }
  assert.deepEqual(
    alarms.map(({ code }) => code),
    ['api.certificate'],
  )
  assert.equal(await fingerprint(site.port, first.authority), now)
})

test('a start that nobody could reach, or that would speak in clear, is refused with what to do', async () => {
  await using at = await scratch()
  const made = soon()
  await writeFile(join(at.folder, 'site.pem'), made.pair.certificate)
  await writeFile(join(at.folder, 'site.key'), made.pair.key)
  await writeFile(join(at.folder, 'other.key'), soon().pair.key)
  const refused = async (args: readonly string[], code: string, words: RegExp, environment: Record<string, string> = {}): Promise<void> => {
    const ended = await quorate(at, ['serve', '--port', '0', '--json', ...args], { environment })
    const problem = JSON.parse(ended.errors.trim().split('\n').at(-1) ?? '') as { code: string; detail: string; next: string }
    assert.equal(problem.code, code, ended.errors)
    assert.match(`${problem.detail} ${problem.next}`, words)
    assert.notEqual(ended.code, 0)
  }
  const pair = ['--certificate', 'site.pem', '--certificate-key', 'site.key']
  await refused(['--listen', '0.0.0.0'], 'main.config', /plain HTTP is served on this machine only.*--public-url/)
  await refused([], 'main.config', /--public-url/, { QUORATE_LISTEN: '0.0.0.0' })
  await refused(['--public-url', 'https://vault.example', ...pair], 'api.certificate', /not for vault\.example but for DNS:localhost/)
  await refused(
    ['--public-url', 'https://localhost', '--certificate', 'site.pem', '--certificate-key', 'other.key'],
    'api.certificate',
    /does not belong/,
  )
  await refused(
    ['--public-url', 'https://localhost', '--certificate', 'absent.pem', '--certificate-key', 'site.key'],
    'api.certificate',
    /cannot be read \(ENOENT\)/,
  )
  await refused(
    ['--public-url', 'https://localhost', '--trusted-proxy', '127.0.0.1', '--listen', '0.0.0.0:7999'],
    'main.config',
    /in the open/,
  )
})
