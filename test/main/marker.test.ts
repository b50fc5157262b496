// A whole walk through a real site with marks in names, bodies, tokens and headers: none of them is in the log, in metrics, or in what others see.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { createApi, createLoopback } from '#gateways/api'
import { createMetrics } from '../../src/gateways/api/metrics.ts'
import { openSite } from '../../src/main/site.ts'

/** In names of files and folders: whoever names one may read its name in the refusal, and nobody else anywhere. */
const NAME = 'zqname'
/** In bodies, tokens, headers and codes: nobody reads it anywhere. */
const SECRET = 'zqsecret'
const OPERATOR = { kind: 'local', name: 'operator' } as const
const TASK_MS = 20_000
const FRAGMENT = /(?:^|\/)[0-9a-f]{32}$/

interface Sent {
  readonly method?: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string | undefined
}

test('no name, body, token or header of a walk is in the log, in metrics, or in a refusal', { timeout: 120_000 }, async (context) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'quorate-marker-')))
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const home = join(folder, 'home')
  for (const name of ['home', 'a', 'b', 'c', `source-${NAME}`]) mkdirSync(join(folder, name), { mode: 0o700 })
  writeFileSync(join(folder, `source-${NAME}`, `${NAME}.txt`), `${SECRET} in a file that is adopted`)
  const logged: string[] = []
  const listen = (level: string) => (fields: object, message: string) =>
    void logged.push(`${level} ${message} ${JSON.stringify(fields)} ${inspect(fields, { depth: 10 })}`)
  const log = { info: listen('info'), warn: listen('warn'), error: listen('error') }
  const site = await openSite({ home, environment: {}, database: { file: join(home, 'site.sqlite') }, log })
  const metrics = createMetrics({ door: site.access.enter(OPERATOR), databaseWait: () => site.databaseLoad() })
  const api = await createApi({ access: site.access, operator: OPERATOR, identity: site.identity, log, metrics })
  const loopback = createLoopback()
  const port = await api.listenOnLoopback({ port: 0, loopback })
  const cookie = loopback.openSession(loopback.code, port).split(';')[0]!
  const problems: string[] = []
  const answered = new Map<number, number>()

  const send = ({ method = 'GET', path, headers = {}, body }: Sent): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const marked = {
        host: `localhost:${port}`,
        cookie: `${cookie}; other=${SECRET}`,
        'user-agent': SECRET,
        'x-request-id': SECRET,
        'x-forwarded-for': SECRET,
        referer: `http://localhost:${port}/${SECRET}`,
        ...headers,
      }
      const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers: marked, agent: false, setHost: false }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', () => resolve({ status: 0, text: '' }))
        response.on('end', () => {
          const text = Buffer.concat(parts).toString()
          const status = response.statusCode!
          answered.set(status, (answered.get(status) ?? 0) + 1)
          if (response.headers['content-type'] === 'application/problem+json') problems.push(text)
          resolve({ status, text: `${text}${JSON.stringify(response.headers)}` })
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  const json = (method: string, path: string, body: unknown) =>
    send({ method, path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const work = async (path: string, body: unknown): Promise<string> => {
    const { text } = await json('POST', path, body)
    const id = /"id":"([0-9a-f]{32})"/.exec(text)?.[1]
    assert.ok(id, text)
    const until = performance.now() + TASK_MS
    for (;;) {
      const { text: state } = await send({ path: `/api/v1/tasks/${id}` })
      if (!/"state":"running"/.test(state)) return state
      assert.ok(performance.now() < until, state)
    }
  }

  const content = (name: string) => `/api/v1/content?path=/${NAME}/${name}`
  const bodyOf = (text: string): string => text.slice(0, text.lastIndexOf('{'))
  assert.equal(
    (
      await json('POST', '/api/v1/vault', {
        threshold: 2,
        locations: ['a', 'b', 'c'].map((name) => ({ spec: `folder:${join(folder, name)}` })),
      })
    ).status,
    201,
  )
  for (const name of ['one', 'two', 'three'])
    assert.equal((await send({ method: 'PUT', path: content(`${NAME}-${name}`), body: `${SECRET} `.repeat(1000) })).status, 201)
  assert.match((await send({ path: content(`${NAME}-one`) })).text, new RegExp(SECRET))
  await send({ path: content(`${NAME}-one`), headers: { range: `bytes=0-${SECRET}`, 'if-match': `"${SECRET}"` } })
  await send({ path: content(`${NAME}-none`) })
  await send({ method: 'PUT', path: `${content(`${NAME}-size`)}&size=5`, body: SECRET })
  await send({ method: 'PUT', path: `/api/v1/content?path=/../${NAME}`, body: SECRET })
  await send({ path: `/api/v1/files?path=/${NAME}&limit=${SECRET}` })
  await send({ path: `/api/v1/${SECRET}` })
  await send({ path: `/${SECRET}/%ff` })
  await send({ method: 'POST', path: '/api/v1/folders', headers: { 'content-type': 'application/json' }, body: `{"path": ${SECRET}` })
  await json('POST', '/api/v1/folders', { path: SECRET })
  await json('POST', '/api/v1/vault', { threshold: 2, passphrase: SECRET, locations: [] })
  await json('POST', '/api/v1/session', { code: SECRET.repeat(3) })
  await send({ path: '/api/v1/status', headers: { cookie: `quorate-${port}=${SECRET}` } })
  await send({ path: '/api/v1/status', headers: { authorization: `Bearer qt_${SECRET}` } })
  await send({ path: '/api/v1/status', headers: { authorization: SECRET } })
  await send({ path: `/api/v1/status?token=${SECRET}` })
  await send({ path: '/api/v1/status', headers: { origin: `http://${SECRET}.example` } })
  await send({ path: '/api/v1/status', headers: { host: `${SECRET}.example` } })
  await json('POST', '/api/v1/move', { from: `/${NAME}/${NAME}-two`, to: `/${NAME}/${NAME}-moved` })
  await json('POST', '/api/v1/move', { from: `/${NAME}/${NAME}-none`, to: `/${NAME}/${NAME}-moved` })
  await json('POST', '/api/v1/copy', { from: `/${NAME}`, to: `/${NAME}-copy` })
  await json('POST', '/api/v1/uploads', { path: `/${NAME}/${NAME}-big`, size: 10 })
  await json('POST', '/api/v1/content/verify', { path: `/${NAME}/${NAME}-one`, sha256: 'ab'.repeat(32) })
  await send({ method: 'DELETE', path: `/api/v1/files?path=/${NAME}/${NAME}-moved` })
  await send({ method: 'DELETE', path: `/api/v1/files?path=/${NAME}/${NAME}-three&now=true` })
  await work('/api/v1/import', { source: `folder:${join(folder, `source-${NAME}`)}`, path: `/${NAME}-in` })
  await json('POST', '/api/v1/import/preview', { source: `folder:${join(folder, `no-${NAME}`)}`, path: '/' })
  await json('POST', '/api/v1/locations', { spec: `s3:https://key:${SECRET}@example.invalid/${SECRET}` })
  await json('PUT', '/api/v1/keeping', { path: `/${NAME}`, versionsKept: 3 })
  await send({ path: `/api/v1/moment?path=/${NAME}&at=2020-01-02T03:04:05Z` })

  // One location lies, then one is away, then too few are there.
  damage(join(folder, 'b'))
  await send({ path: content(`${NAME}-one`) })
  const scrubbed = await work('/api/v1/scrub', {})
  assert.match(scrubbed, /corrupt/)
  await work('/api/v1/repair', {})
  renameSync(join(folder, 'a'), join(folder, 'a-away'))
  assert.match(bodyOf((await send({ path: content(`${NAME}-one`) })).text), new RegExp(SECRET))
  renameSync(join(folder, 'b'), join(folder, 'b-away'))
  await send({ path: `${content(`${NAME}-one`)}&version=1` })
  assert.ok((await send({ method: 'PUT', path: content(`${NAME}-late`), body: SECRET })).status >= 500)
  const { text: told } = await metrics.text()
  await api.close()
  await site.close()

  assert.ok(logged.length > 40, `${logged.length} lines`)
  assert.ok(
    logged.some((line) => line.startsWith('warn ')),
    'storage said something',
  )
  for (const line of [...logged, told]) assert.doesNotMatch(line, new RegExp(`${NAME}|${SECRET}`, 'i'))
  assert.ok(problems.length > 12, `${problems.length} refusals`)
  for (const problem of problems) assert.doesNotMatch(problem, new RegExp(SECRET, 'i'))
  for (const status of [200, 201, 202, 400, 401, 403, 404, 421]) assert.ok(answered.has(status), `${status} was met`)
  assert.match(told, /quorate_openings_total\{how="read"\} [1-9]/)
})

/** A byte in the middle of each file of the place. */
function damage(place: string): void {
  for (const name of readdirSync(place, { recursive: true, encoding: 'utf8' }).filter(
    (one) => FRAGMENT.test(one) && statSync(join(place, one)).isFile(),
  )) {
    const bytes = readFileSync(join(place, name))
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(join(place, name), bytes)
  }
}
