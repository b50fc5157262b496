// The stream of events: begins with the present, beats, is bounded, and ends with its listener or the site.
import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { event } from '#contract'
import { call, problemOf, startGateway, until, type Gateway } from './support.ts'

interface Listener {
  readonly response: IncomingMessage
  text(): string
  leave(): void
}

function listen(gateway: Gateway): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const headers = { host: `localhost:${gateway.port}`, cookie: gateway.cookie }
    const request = get({ host: '127.0.0.1', port: gateway.port, path: '/api/v1/events', headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (part) => (text += String(part))).on('error', () => {})
      resolve({ response, text: () => text, leave: () => request.destroy() })
    })
    request.on('error', reject)
  })
}

function eventsOf(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => event.parse(JSON.parse(line.slice('data: '.length))).kind)
}

test('a listener hears the present status first, then what happens, with beats between', async () => {
  await using gateway = await startGateway({ bounds: { eventHeartbeatMs: 20 } })
  const listener = await listen(gateway)
  assert.match(listener.response.headers['content-type']!, /^text\/event-stream/)
  await until(() => eventsOf(listener.text()).length === 1)
  await until(() => listener.text().includes('\n\n:\n\n'))
  gateway.door.emit({ kind: 'files', path: '/new\nline' })
  await until(() => eventsOf(listener.text()).length === 2)
  assert.deepEqual(eventsOf(listener.text()), ['status', 'files'])
  listener.leave()
  await until(() => gateway.door.listeners() === 0)
})

test('listeners are bounded, and one that leaves makes room', async () => {
  await using gateway = await startGateway({ bounds: { eventListenersMax: 2 } })
  const first = await listen(gateway)
  await listen(gateway)
  const refused = await call(gateway, { path: '/api/v1/events' })
  assert.equal(problemOf(refused).code, 'api.busy')
  assert.equal(refused.headers['retry-after'], '5')
  first.leave()
  await until(() => gateway.door.listeners() === 1)
  const third = await listen(gateway)
  assert.equal(third.response.statusCode, 200)
})

test('the stop of the site ends every listener at once', async () => {
  const gateway = await startGateway({ bounds: { stopGraceMs: 60_000 } })
  const listener = await listen(gateway)
  const ended = new Promise((resolve) => listener.response.once('close', resolve))
  await gateway[Symbol.asyncDispose]()
  await ended
  assert.equal(gateway.door.listeners(), 0)
})
