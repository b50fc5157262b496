// Alarms on their way: a real mail server and a real HTTPS server, with everything that those do wrong.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { Failure } from '#base'
import type { AlarmSettings } from '#contract'
import { isPrivate, outerLookup } from '../../src/alarms/private-addresses.ts'
import { certificate } from '../gateways/api/outside/certificates.ts'
import { condition, DAY, HOUR, mailSettings, room, SETTINGS, stillClock, type Room } from './support.ts'

interface Mailbox {
  readonly port: number
  readonly mails: { readonly to: string[]; readonly text: string; readonly secure: boolean; readonly user: string | undefined }[]
  [Symbol.asyncDispose](): Promise<void>
}

async function mailServer(options: SMTPServerOptions = {}): Promise<Mailbox> {
  const mails: Mailbox['mails'] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, session, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        mails.push({
          to,
          text: Buffer.concat(parts).toString().replaceAll('=\r\n', ''),
          secure: session.secure,
          user: session.user as string | undefined,
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)),
  }
}

async function begin(at: Room, settings: Partial<AlarmSettings>): Promise<void> {
  await at.alarms.setSettings({ ...SETTINGS, ...settings })
  await at.alarms.observe('vault', [condition()])
}

async function newest(at: Room) {
  return (await at.alarms.deliveries({})).deliveries[0]!
}

test('a mail says code, location, next step and link, and nothing that a header could be made of', async () => {
  await using at = await room()
  await using box = await mailServer()
  await at.alarms.setSettings({ ...SETTINGS, mail: mailSettings(box.port, { to: ['it@hospital.example', 'night@hospital.example'] }) })
  await at.alarms.observe('vault', [condition({ culprits: ['West\r\nBcc: evil@evil.example'] })])
  assert.equal(await at.send(), undefined)
  assert.deepEqual(box.mails.map(({ to }) => to.join(' ')).toSorted(), ['it@hospital.example', 'night@hospital.example'])
  const { text } = box.mails[0]!
  const [head = ''] = text.split('\r\n\r\n', 1)
  assert.match(head, /^From: vault@hospital\.example/m)
  assert.match(head, /^Auto-Submitted: auto-generated/im)
  assert.match(head, /^Message-ID: <[0-9a-f]{32}@quorate>/im)
  assert.doesNotMatch(head, /^Bcc/im)
  assert.match(text, /location\.not-ours/)
  assert.match(text, /WestBcc/)
  assert.match(text, /vault\.hospital\.example\/#\/alarms/)
  assert.ok((await at.alarms.deliveries({})).deliveries.every(({ state, attempts }) => state === 'delivered' && attempts === 1))
})

test('STARTTLS and TLS with a password from a file; a server that cannot, or cannot prove who it is, gets nothing', async () => {
  await using at = await room()
  const made = certificate({ names: ['localhost'], until: new Date(Date.now() + DAY) })
  const authed: SMTPServerOptions = {
    key: made.pair.key,
    cert: made.pair.certificate,
    authOptional: false,
    disabledCommands: [],
    onAuth: (auth, _session, done) =>
      auth.username === 'vault' && auth.password === 'päss word' ? done(null, { user: 'vault' }) : done(new Error('no')),
  }
  await at.secret('smtp-password', 'päss word\n')
  await at.secret('ca.pem', made.authority)
  const known = { host: 'localhost', user: 'vault', passwordFile: 'smtp-password', authorityFile: 'ca.pem' }
  for (const security of ['starttls', 'tls'] as const) {
    await using box = await mailServer({ ...authed, secure: security === 'tls' })
    await at.alarms.setSettings({ ...SETTINGS, mail: mailSettings(box.port, { ...known, security }) })
    assert.deepEqual(await at.alarms.try('mail'), { results: [{ to: 'it@hospital.example', delivered: true, problem: null }] })
    assert.deepEqual(
      box.mails.map(({ secure, user }) => [secure, user]),
      [[true, 'vault']],
    )
    await at.secret('smtp-password', 'wrong')
    const { results } = await at.alarms.try('mail')
    assert.match(results[0]?.problem ?? '', /refuses user or password/)
    await at.secret('smtp-password', 'päss word')
    await at.alarms.setSettings({ ...SETTINGS, mail: mailSettings(box.port, { ...known, security, authorityFile: null }) })
    assert.equal((await at.alarms.try('mail')).results[0]?.delivered, false, 'unknown authority')
    assert.equal(box.mails.length, 1)
  }
  await using bare = await mailServer()
  await at.alarms.setSettings({
    ...SETTINGS,
    mail: mailSettings(bare.port, { ...known, user: null, passwordFile: null, security: 'starttls' }),
  })
  assert.match((await at.alarms.try('mail')).results[0]?.problem ?? '', /no encryption that we accept/)
  assert.deepEqual(bare.mails, [])
  await at.alarms.setSettings({ ...SETTINGS, mail: mailSettings(bare.port, { user: 'vault', passwordFile: 'absent' }) })
  assert.match((await at.alarms.try('mail')).results[0]?.problem ?? '', /absent in the folder secrets of the home cannot be read/)
  // The words of a failure carry no secret.
  assert.doesNotMatch(JSON.stringify(await at.alarms.deliveries({})), /päss/)
})

test('greylisted, it is tried again later and arrives; refused for good, it is given up at once and shown', async () => {
  await using at = await room()
  let tries = 0
  await using box = await mailServer({
    onRcptTo({ address }, _session, done) {
      if (address.startsWith('gone')) return done(Object.assign(new Error('no such person'), { responseCode: 550 }))
      tries += 1
      done(tries === 1 ? Object.assign(new Error('come back later'), { responseCode: 451 }) : null)
    },
  })
  await begin(at, { mail: mailSettings(box.port, { to: ['it@hospital.example'] }) })
  const due = await at.send()
  assert.equal(due, at.clock.ms + 30_000)
  const waiting = await newest(at)
  assert.deepEqual([waiting.state, waiting.attempts], ['waiting', 1])
  assert.match(waiting.problem ?? '', /wants it later \(EENVELOPE 451\)/)
  assert.equal((await at.alarms.list({})).counts.undelivered, 1)
  await at.send()
  assert.equal(tries, 1, 'not before its time')
  at.clock.ms += 30_000
  assert.equal(await at.send(), undefined)
  assert.deepEqual([(await newest(at)).state, (await newest(at)).attempts, box.mails.length], ['delivered', 2, 1])

  await at.alarms.setSettings({ ...SETTINGS, mail: mailSettings(box.port, { to: ['gone@hospital.example'] }) })
  await at.alarms.observe('vault', [condition(), condition({ subject: 'b' })])
  await at.send()
  const failed = await newest(at)
  assert.deepEqual([failed.state, failed.attempts], ['failed', 1])
  assert.match(failed.problem ?? '', /refuses the recipient/)
})

test('a mail server that is away, silent, drips or dies in the middle: tried for three days, then given up and said so', async () => {
  await using at = await room({ sendMs: 300 })
  const sockets = new Set<Socket>()
  const behaviours: ((socket: Socket) => void)[] = [
    () => {},
    (socket) => {
      const drip = setInterval(() => socket.write('2'), 20)
      socket.on('close', () => clearInterval(drip))
    },
    (socket) => socket.write('220 hello\r\n').valueOf() && socket.on('data', () => socket.destroy()),
    (socket) => {
      socket.write('220 hello\r\n')
      socket.on('data', (line) =>
        /^DATA/im.test(line.toString()) ? (socket.write('354 go\r\n'), socket.destroy()) : socket.write('250 ok\r\n'),
      )
    },
    (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  ]
  let behave = behaviours[0]!
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    behave(socket)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await begin(at, { mail: mailSettings(port) })
  const begun = at.clock.ms
  for (const [index, one] of behaviours.entries()) {
    behave = one
    const due = await at.send()
    const row = await newest(at)
    assert.deepEqual([row.state, row.attempts], ['waiting', index + 1])
    assert.ok(row.problem !== null && !row.problem.includes('hospital.example'), String(row.problem))
    at.clock.ms = due!
  }
  for (const socket of sockets) socket.destroy()
  await new Promise((done) => server.close(done))
  while ((await newest(at)).state === 'waiting') at.clock.ms = (await at.send()) ?? at.clock.ms
  const row = await newest(at)
  assert.equal(row.state, 'failed')
  assert.ok(at.clock.ms - begun >= 3 * DAY && at.clock.ms - begun < 3 * DAY + 2 * HOUR)
  assert.deepEqual(await at.outbox.troubles(at.clock.ms), { waiting: 0, failed: 1 })
})

test('a restart loses nothing and sends nothing twice that arrived', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-outbox-'))
  const place = { file: join(folder, 'site.sqlite') }
  const clock = stillClock()
  try {
    await using box = await mailServer()
    {
      await using at = await room({ place, clock })
      await begin(at, { mail: mailSettings(box.port, { to: ['a@hospital.example', 'b@hospital.example'] }) })
      // The site dies while one is on its way.
      await at.db.kysely
        .updateTable('alarms_delivery')
        .set({ leased_ms: clock.ms + HOUR })
        .where('recipient', '=', 'a@hospital.example')
        .execute()
      await at.send()
      assert.deepEqual(
        box.mails.map(({ to }) => to),
        [['b@hospital.example']],
      )
    }
    await using at = await room({ place, clock })
    await at.outbox.recover()
    await at.send()
    await at.send()
    assert.deepEqual(
      box.mails.map(({ to }) => to),
      [['b@hospital.example'], ['a@hospital.example']],
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

interface Hook {
  readonly port: number
  readonly calls: { readonly headers: IncomingMessage['headers']; readonly body: string }[]
  readonly server: Server
  answer: (request: IncomingMessage, response: ServerResponse) => void
  [Symbol.asyncDispose](): Promise<void>
}

async function hookServer(made: { pair: { certificate: string; key: string } }): Promise<Hook> {
  const calls: Hook['calls'] = []
  const server = createServer({ cert: made.pair.certificate, key: made.pair.key }, (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      calls.push({ headers: request.headers, body: Buffer.concat(parts).toString() })
      hook.answer(request, response)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const hook: Hook = {
    port: (server.address() as AddressInfo).port,
    calls,
    server,
    answer: (_request, response) => response.writeHead(204).end(),
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections()
      return new Promise((done) => server.close(() => done()))
    },
  }
  return hook
}

const SECRET = 'f'.repeat(64)

async function hooked(
  at: Room,
  port: number,
  authority: string,
  more: Partial<NonNullable<AlarmSettings['webhook']>> = {},
): Promise<Partial<AlarmSettings>> {
  await at.secret('hook-secret', `${SECRET}\n`)
  await at.secret('ca.pem', authority)
  return {
    webhook: {
      url: `https://localhost:${port}/alarms?from=vault`,
      secretFile: 'hook-secret',
      authorityFile: 'ca.pem',
      allowPrivate: true,
      ...more,
    },
  }
}

test('a webhook gets signed JSON over TLS, and nothing of names', async () => {
  await using at = await room()
  const made = certificate({ names: ['localhost'], until: new Date(Date.now() + DAY) })
  await using hook = await hookServer(made)
  await begin(at, await hooked(at, hook.port, made.authority))
  assert.equal(await at.send(), undefined)
  const [call] = hook.calls
  assert.ok(call !== undefined)
  const seconds = Math.floor(at.clock.ms / 1000)
  const mac = createHmac('sha256', SECRET).update(`${seconds}.${call.body}`).digest('hex')
  assert.equal(call.headers['quorate-signature'], `t=${seconds},v1=${mac}`)
  const body = JSON.parse(call.body) as { id: string; reason: string; alarm: { code: string; locations: string[] }; link: string }
  assert.deepEqual([body.reason, body.alarm.code, body.alarm.locations, body.link], ['began', 'location.not-ours', ['West'], SETTINGS.link])
  assert.equal(call.headers['quorate-delivery'], body.id)
  // Another authority than the one that was named, or another name, gets nothing.
  const other = certificate({ names: ['other.example'], until: new Date(Date.now() + DAY) })
  await using foreign = await hookServer(other)
  await at.alarms.setSettings({ ...SETTINGS, ...(await hooked(at, foreign.port, made.authority)) })
  assert.match((await at.alarms.try('webhook')).results[0]?.problem ?? '', /cannot be reached \(ERR_TLS_CERT_ALTNAME_INVALID\)/)
  assert.deepEqual(foreign.calls, [])
})

test('a webhook that answers wrongly, redirects, hangs, drips or is never there is tried again and said so', async () => {
  await using at = await room({ sendMs: 300 })
  const made = certificate({ names: ['localhost'], until: new Date(Date.now() + DAY) })
  await using target = await hookServer(made)
  await using hook = await hookServer(made)
  await begin(at, await hooked(at, hook.port, made.authority))
  const cases: [Hook['answer'], RegExp][] = [
    [(_request, response) => response.writeHead(500).end('secret words'), /answered 500/],
    [
      (_request, response) => response.writeHead(302, { location: `https://localhost:${target.port}/` }).end(),
      /answered 302, a redirect, which is not followed/,
    ],
    [(_request, response) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end(), /a redirect/],
    [() => {}, /did not answer within 0\.3 s/],
    [(_request, response) => void response.socket?.destroy(), /cannot be reached/],
    [
      (request, response) => {
        const drip = setInterval(() => response.socket?.write('H'), 20)
        request.socket.on('close', () => clearInterval(drip))
      },
      /did not answer|cannot be reached/,
    ],
  ]
  for (const [index, [answer, words]] of cases.entries()) {
    hook.answer = answer
    const due = await at.send()
    const row = await newest(at)
    assert.deepEqual([row.state, row.attempts], ['waiting', index + 1])
    assert.match(row.problem ?? '', words)
    assert.doesNotMatch(row.problem ?? '', /secret words/)
    at.clock.ms = due!
  }
  assert.deepEqual(target.calls, [])
  await new Promise((done) => {
    hook.server.closeAllConnections()
    hook.server.close(done)
  })
  const due = await at.send()
  assert.match((await newest(at)).problem ?? '', /cannot be reached \(ECONNREFUSED\)/)
  at.clock.ms = due!
})

test('addresses of the house are refused, by number, by name and by names that change their mind', async () => {
  await using at = await room()
  const made = certificate({ names: ['localhost'], until: new Date(Date.now() + DAY) })
  await using hook = await hookServer(made)
  for (const host of [
    'localhost',
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f000001',
    '10.0.0.1',
    '169.254.169.254',
    '[fd00::1]',
  ]) {
    const settings = await hooked(at, hook.port, made.authority, { url: `https://${host}:${hook.port}/`, allowPrivate: false })
    await at.alarms.setSettings({ ...SETTINGS, ...settings })
    assert.match((await at.alarms.try('webhook')).results[0]?.problem ?? '', /of this machine or of a private network/, host)
  }
  assert.deepEqual(hook.calls, [])
  for (const inner of [
    '0.0.0.0',
    '100.64.0.1',
    '172.31.0.1',
    '192.168.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1',
    'ff02::1',
    'fe80::1%eth0',
    'nonsense',
  ])
    assert.ok(isPrivate(inner), inner)
  for (const outer of ['1.1.1.1', '93.184.216.34', '2606:4700::1111', '172.32.0.1', '100.128.0.1']) assert.ok(!isPrivate(outer), outer)
  // One public address beside a private one is a trick as well.
  const answers = [
    { address: '93.184.216.34', family: 4 },
    { address: '10.0.0.1', family: 4 },
  ]
  const look = ((_name: string, _options: object, done: (error: null, found: object[]) => void) => done(null, answers)) as never
  const error = await new Promise((resolve) => outerLookup(look)('rebind.example', { all: true }, (refused) => resolve(refused)))
  assert.ok(error instanceof Failure && error.code === 'alarms.delivery')
})

test('secrets are files in one folder: no name leads out of it, and a short key is refused', async () => {
  await using at = await room()
  const { createSecrets } = await import('../../src/alarms/secrets.ts')
  const secrets = createSecrets(tmpdir())
  for (const name of ['../etc/passwd', '/etc/passwd', '..', '.', '', 'a/b', 'a\0b', '-rf', 'a'.repeat(65)])
    await assert.rejects(secrets.text(name), (error) => error instanceof Failure && error.code === 'alarms.settings', name)
  const made = certificate({ names: ['localhost'], until: new Date(Date.now() + DAY) })
  await using hook = await hookServer(made)
  await at.alarms.setSettings({ ...SETTINGS, ...(await hooked(at, hook.port, made.authority)) })
  await at.secret('hook-secret', 'short')
  assert.match((await at.alarms.try('webhook')).results[0]?.problem ?? '', /shorter than 32 characters/)
  assert.deepEqual(hook.calls, [])
})

test('in a storm one message stands for many', async () => {
  await using at = await room()
  await using box = await mailServer()
  await at.alarms.setSettings({ ...SETTINGS, mail: mailSettings(box.port) })
  await at.alarms.observe(
    'vault',
    Array.from({ length: 45 }, (_, index) => condition({ subject: String(index) })),
  )
  const due = await at.send()
  assert.equal(box.mails.length, 20)
  at.clock.ms = due!
  assert.equal(due, at.clock.ms)
  await at.send()
  assert.equal(box.mails.length, 21)
  assert.match(box.mails[20]!.text, /45 alarms are open now/)
})
