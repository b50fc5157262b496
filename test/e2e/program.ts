// Starts the real program as a person would, and reads the link that it prints.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const START = 'src/main/start.ts'
const START_MS = 240_000
const STOP_MS = 15_000

export interface Program {
  /** `http://localhost:PORT/#open=CODE` */
  readonly link: string
  readonly origin: string
  readonly port: number
  /** Everything that it said, for failures. */
  said(): string
  stop(): Promise<void>
}

/** Port 0 = any free one. */
export async function startProgram({ home, port = 0 }: { readonly home: string; readonly port?: number }): Promise<Program> {
  const child = spawn(process.execPath, ['bin/run.mjs', START, '--port', String(port)], {
    cwd: root,
    env: { ...process.env, QUORATE_HOME: home, QUORATE_NO_OPEN: '1', NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const link = await new Promise<string>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`no link within ${START_MS} ms:\n${said}`)), START_MS)
    const listen = (part: Buffer): void => {
      said += part.toString()
      const found = /http:\/\/localhost:\d+\/#open=[\w-]+/.exec(said)?.[0]
      if (found === undefined) return
      clearTimeout(timer)
      done(found)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.on('exit', (code) => {
      clearTimeout(timer)
      fail(new Error(`the program ended with ${code}:\n${said}`))
    })
  })
  const { origin, port: bound } = new URL(link)
  return { link, origin, port: Number(bound), said: () => said, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(timer)
}
