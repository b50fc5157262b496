// The command line twice: as real processes over a folder of their own, and inside this process over a door in memory.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createClient } from '#contract'
import { inProcessTransport } from '#gateways/api'
import type { Identity } from '#identity'
import { run, type ConnectRequest, type Host } from '../../src/cli/cli.ts'
import { createMemoryDoor, type MemoryDoor } from '../gateways/api/memory-door.ts'

const ROOT = resolve(import.meta.dirname, '../..')

export interface Scratch {
  readonly folder: string
  readonly home: string
  [Symbol.asyncDispose](): Promise<void>
}

export async function scratch(): Promise<Scratch> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'quorate-cli-')))
  return { folder, home: join(folder, 'home'), [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: Buffer
  readonly errors: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when the text stands on standard output or standard error. */
  said(text: string | RegExp): Promise<void>
}

export interface Spawned {
  readonly input?: string | Uint8Array | undefined
  /** Standard input stays open after the input. */
  readonly keepInput?: boolean
  readonly environment?: Record<string, string>
  /** Without the launcher, so that a signal reaches the program itself. */
  readonly direct?: boolean
}

/** A real process: bin/quorate, or the program itself. */
export function start(at: Scratch, args: readonly string[], options: Spawned = {}): Started {
  const { PATH = '', TMPDIR = '' } = process.env
  const env = { PATH, ...(TMPDIR === '' ? {} : { TMPDIR }), HOME: at.folder, QUORATE_HOME: at.home, ...options.environment }
  const command = options.direct === true ? process.execPath : join(ROOT, 'bin/quorate')
  const before = options.direct === true ? ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/main/quorate.ts')] : []
  const child = spawn(command, [...before, ...args], { cwd: at.folder, env, stdio: 'pipe' })
  const out: Buffer[] = []
  let errors = ''
  let told = (): void => {}
  child.stdout.on('data', (part: Buffer) => {
    out.push(part)
    told()
  })
  child.stderr.on('data', (part: Buffer) => {
    errors += part.toString()
    told()
  })
  child.stdin.on('error', () => {})
  child.stdin.write(options.input ?? '')
  if (options.keepInput !== true) child.stdin.end()
  const ended = new Promise<Ended>((done) => {
    child.on('close', (code, signal) => done({ code, signal, out: Buffer.concat(out), errors }))
  })
  return {
    child,
    ended,
    said: (text) =>
      new Promise((done, fail) => {
        const look = (): void => {
          const all = Buffer.concat(out).toString() + errors
          if (typeof text === 'string' ? all.includes(text) : text.test(all)) done()
        }
        told = look
        look()
        child.on('close', () => fail(new Error(`ended without saying ${String(text)}: ${Buffer.concat(out).toString()}${errors}`)))
      }),
  }
}

export function quorate(at: Scratch, args: readonly string[], options: Spawned = {}): Promise<Ended> {
  return start(at, args, options).ended
}

/** Like `quorate`, and throws when the exit code is another one. */
export async function succeeds(at: Scratch, args: readonly string[], code = 0): Promise<Ended> {
  const ended = await quorate(at, args)
  if (ended.code !== code)
    throw new Error(`quorate ${args.join(' ')}: ${ended.code} instead of ${code}\n${ended.out.toString()}${ended.errors}`)
  return ended
}

export interface Inside {
  readonly door: MemoryDoor
  readonly connects: ConnectRequest[]
  readonly stop: AbortController
  /** One command line with what it wrote. */
  quorate(args: readonly string[], input?: AsyncIterable<Uint8Array>): Promise<{ code: number; out: string; bytes: Buffer; errors: string }>
}

/** Commands in this process; the door keeps what it is given between them. */
export function inside(folder: string, identity?: Identity): Inside {
  const door = createMemoryDoor()
  const connects: ConnectRequest[] = []
  const stop = new AbortController()
  return {
    door,
    connects,
    stop,
    async quorate(args, input) {
      const out: Buffer[] = []
      let errors = ''
      const host: Host = {
        version: '1.2.3',
        input: input ?? nothing(),
        output: {
          isTerminal: false,
          columns: () => 80,
          write: async (part) => void out.push(Buffer.from(Uint8Array.from(Buffer.from(part)))),
        },
        errors: { isTerminal: false, columns: () => 80, write: async (part) => void (errors += String(part)) },
        folder,
        personFolder: '/person',
        keyboard: false,
        showsPlaces: false,
        signal: stop.signal,
        passphraseFile: undefined,
        connect: async (request) => {
          connects.push(request)
          const people = identity === undefined ? undefined : { identity, operator: { kind: 'local', name: 'test' } as const }
          return { client: createClient(inProcessTransport(door, people)), close: async () => {} }
        },
        verifyDeletion: async () => {
          throw new Error('no record is verified here')
        },
        serve: async () => {},
      }
      const code = await run(args, host)
      return { code, out: Buffer.concat(out).toString(), bytes: Buffer.concat(out), errors }
    },
  }
}

async function* nothing(): AsyncIterable<Uint8Array> {}
