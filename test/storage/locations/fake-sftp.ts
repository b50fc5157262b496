// A small honest SFTP server in this process, whose answers a test can bend: lost, late, false. It speaks SSH by the package ssh2 and SFTP by itself.
import { timingSafeEqual } from 'node:crypto'
import type { AddressInfo, Socket } from 'node:net'
import { posix } from 'node:path'
import ssh2, { type Connection, type ServerChannel } from 'ssh2'
import { fingerprintOf } from '../../../src/storage/locations/sftp/host-keys.ts'
import { readString, readU32, readU64 } from '../../../src/storage/locations/sftp/fields.ts'
import { ANSWER, OPEN, REQUEST, STATUS, encodeRequest } from '../../../src/storage/locations/sftp/packets.ts'

export interface SftpRequest {
  readonly type: number
  /** The path, or that of the handle; '' where there is none. */
  readonly path: string
  /** The name of an extension. */
  readonly extension: string
  readonly index: number
}

/** 'lose' = nothing done, connection closed; 'lose answer' = done, connection closed; a number is a status; bytes are sent as they are. */
export type SftpBend =
  | 'pass'
  | 'hang'
  | 'lose'
  | 'lose answer'
  | number
  | Uint8Array
  | ((id: number, honest: () => Uint8Array, send: (bytes: Uint8Array) => void) => Uint8Array | undefined)

export interface FakeSftp extends AsyncDisposable {
  readonly port: number
  /** Of the host key it shows. */
  readonly fingerprint: string
  readonly files: Map<string, FakeFile>
  readonly folders: Set<string>
  readonly requests: SftpRequest[]
  connectionCount: number
  password: string
  bend: (request: SftpRequest) => SftpBend
  /** Cuts every connection. */
  cut(): void
  /** Another server stands at the address from now on. */
  changeHostKey(): void
}

interface FakeFile {
  bytes: Buffer
  length: number
  modifiedS: number
}

interface FakeOptions {
  readonly extensions?: readonly (readonly [string, string])[]
  /** A rename replaces what is there, as some servers do. */
  readonly renameReplaces?: boolean
  readonly sftp?: boolean
}

export const ALL_EXTENSIONS = [
  ['hardlink@openssh.com', '1'],
  ['fsync@openssh.com', '1'],
  ['statvfs@openssh.com', '2'],
] as const

export async function fakeSftp(options: FakeOptions = {}): Promise<FakeSftp> {
  const sockets = new Set<Socket>()
  let keys = newHostKey()
  const start = (): ssh2.Server => new ssh2.Server({ hostKeys: [keys.private] }, (connection) => serve(fake, connection, options))
  let inner = start()
  const server = (await import('node:net')).createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    fake.connectionCount += 1
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    ;(inner as unknown as { injectSocket(socket: Socket): void }).injectSocket(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const printOf = (pair: { public: string }): string => fingerprintOf(Buffer.from(pair.public.split(' ')[1]!, 'base64'))
  const fake: FakeSftp = {
    port: (server.address() as AddressInfo).port,
    fingerprint: printOf(keys),
    files: new Map(),
    folders: new Set(['/', '/base']),
    requests: [],
    connectionCount: 0,
    password: 'TOPSECRET',
    bend: () => 'pass',
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
    changeHostKey: () => {
      keys = newHostKey()
      inner = start()
      fake.cut()
    },
    [Symbol.asyncDispose]: async () => {
      fake.cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}

/** One in some hundred keys that the package makes it cannot read. */
function newHostKey(): { readonly private: string; readonly public: string } {
  for (let tries = 0; tries < 20; tries += 1) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519')
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair
  }
  throw new Error('no host key')
}

export function contentsOf(fake: FakeSftp, path: string): Uint8Array | undefined {
  const file = fake.files.get(path)
  return file?.bytes.subarray(0, file.length)
}

export function putFile(fake: FakeSftp, path: string, bytes: Uint8Array): void {
  fake.files.set(path, { bytes: Buffer.from(bytes), length: bytes.length, modifiedS: Math.floor(Date.now() / 1000) })
}

function serve(fake: FakeSftp, connection: Connection, options: FakeOptions): void {
  connection.on('error', () => undefined)
  connection.on('authentication', (context) => {
    if (context.method !== 'password') return context.reject(['password'])
    const [given, right] = [Buffer.from(context.password), Buffer.from(fake.password)]
    return given.length === right.length && timingSafeEqual(given, right) ? context.accept() : context.reject(['password'])
  })
  connection.on('ready', () => {
    connection.on('session', (accept) => {
      accept().on('subsystem', (acceptSubsystem, reject) => {
        if (options.sftp === false) return reject()
        const channel = acceptSubsystem()
        channel.on('error', () => undefined)
        new Conversation(fake, connection, channel, options).begin()
      })
    })
  })
}

class Conversation {
  readonly #fake: FakeSftp
  readonly #connection: Connection
  readonly #channel: ServerChannel
  readonly #options: FakeOptions
  readonly #handles = new Map<string, { path: string; file: FakeFile | undefined; listed: boolean }>()
  #buffer = Buffer.alloc(0)
  #nextHandle = 0

  constructor(fake: FakeSftp, connection: Connection, channel: ServerChannel, options: FakeOptions) {
    this.#fake = fake
    this.#connection = connection
    this.#channel = channel
    this.#options = options
  }

  begin(): void {
    this.#channel.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      for (
        let length = readU32(this.#buffer, 0);
        length !== undefined && this.#buffer.length >= 4 + length;
        length = readU32(this.#buffer, 0)
      ) {
        const packet = this.#buffer.subarray(4, 4 + length)
        this.#buffer = this.#buffer.subarray(4 + length)
        this.#take(packet)
      }
    })
  }

  #take(packet: Buffer): void {
    const type = packet[0]!
    if (type === REQUEST.init) {
      const extensions = this.#options.extensions ?? ALL_EXTENSIONS
      return this.#send(encodeRequest(ANSWER.version, 3, extensions.flat()))
    }
    const id = readU32(packet, 1)!
    const body = packet.subarray(5)
    const first = readString(body, 0)
    const text = first === undefined ? '' : Buffer.from(first.bytes).toString()
    const extension = type === REQUEST.extended ? text : ''
    const second = first === undefined ? undefined : readString(body, first.next)
    const named = extension === '' ? text : second === undefined ? '' : Buffer.from(second.bytes).toString()
    const request = { type, extension, path: this.#handles.get(named)?.path ?? named, index: this.#fake.requests.length }
    this.#fake.requests.push(request)
    const honest = (): Uint8Array => this.#answer(type, id, body)
    const bend = this.#fake.bend(request)
    if (bend === 'pass') return this.#send(honest())
    if (bend === 'hang') return
    if (bend === 'lose' || bend === 'lose answer') {
      if (bend === 'lose answer') honest()
      this.#connection.end()
      return this.#fake.cut()
    }
    if (typeof bend === 'number') return this.#send(status(id, bend))
    const bytes = typeof bend === 'function' ? bend(id, honest, (late) => this.#send(late)) : bend
    if (bytes !== undefined) this.#send(bytes)
  }

  #send(bytes: Uint8Array): void {
    this.#channel.write(bytes)
  }

  #answer(type: number, id: number, body: Buffer): Uint8Array {
    const { files, folders } = this.#fake
    const first = readString(body, 0)!
    const text = Buffer.from(first.bytes).toString()
    const path = posix.normalize(text).replace(/(?<=.)\/$/, '')
    const open = this.#handles.get(text)
    switch (type) {
      case REQUEST.open: {
        const flags = readU32(body, first.next)!
        const there = files.get(path)
        if (folders.has(path)) return status(id, STATUS.failure)
        if ((flags & OPEN.create) === 0 && there === undefined) return status(id, STATUS.noSuchFile)
        if ((flags & OPEN.exclusive) !== 0 && there !== undefined) return status(id, STATUS.failure)
        if (!folders.has(posix.dirname(path))) return status(id, STATUS.noSuchFile)
        if (there === undefined) putFile(this.#fake, path, new Uint8Array(0))
        return this.#handleFor(id, path, files.get(path))
      }
      case REQUEST.close:
        this.#handles.delete(text)
        return status(id, STATUS.ok)
      case REQUEST.read: {
        const [offset, length] = [readU64(body, first.next)!, readU32(body, first.next + 8)!]
        const file = open!.file!
        if (offset >= file.length) return status(id, STATUS.eof)
        return encodeRequest(ANSWER.data, id, [file.bytes.subarray(offset, Math.min(file.length, offset + length))])
      }
      case REQUEST.write: {
        const offset = readU64(body, first.next)!
        const data = readString(body, first.next + 8)!.bytes
        const file = open!.file!
        if (file.bytes.length < offset + data.length) {
          const larger = Buffer.alloc(Math.max(offset + data.length, 2 * file.bytes.length))
          file.bytes.copy(larger)
          file.bytes = larger
        }
        file.bytes.set(data, offset)
        file.length = Math.max(file.length, offset + data.length)
        return status(id, STATUS.ok)
      }
      case REQUEST.lstat:
        if (folders.has(path)) return encodeRequest(ANSWER.attrs, id, [4, 0o040_755])
        return files.has(path) ? attributesOf(id, files.get(path)!) : status(id, STATUS.noSuchFile)
      case REQUEST.fstat:
        return attributesOf(id, open!.file!)
      case REQUEST.fsetstat:
        open!.file!.length = readU64(body, first.next + 4)!
        return status(id, STATUS.ok)
      case REQUEST.opendir:
        return folders.has(path) ? this.#handleFor(id, path, undefined) : status(id, STATUS.noSuchFile)
      case REQUEST.readdir: {
        if (open!.listed) return status(id, STATUS.eof)
        open!.listed = true
        return this.#namesOf(id, open!.path)
      }
      case REQUEST.remove:
        return status(id, files.delete(path) ? STATUS.ok : STATUS.noSuchFile)
      case REQUEST.mkdir:
        if (folders.has(path) || files.has(path)) return status(id, STATUS.failure)
        if (!folders.has(posix.dirname(path))) return status(id, STATUS.noSuchFile)
        folders.add(path)
        return status(id, STATUS.ok)
      case REQUEST.rename: {
        const to = Buffer.from(readString(body, first.next)!.bytes).toString()
        if (!files.has(path)) return status(id, STATUS.noSuchFile)
        if (files.has(to) && this.#options.renameReplaces !== true) return status(id, STATUS.failure)
        files.set(to, files.get(path)!)
        files.delete(path)
        return status(id, STATUS.ok)
      }
      case REQUEST.extended:
        return this.#extended(id, text, body.subarray(first.next))
      default:
        return status(id, STATUS.unsupported)
    }
  }

  #extended(id: number, name: string, body: Buffer): Uint8Array {
    const { files } = this.#fake
    const first = readString(body, 0)!
    const from = Buffer.from(first.bytes).toString()
    if (name === 'hardlink@openssh.com') {
      const to = Buffer.from(readString(body, first.next)!.bytes).toString()
      if (!files.has(from)) return status(id, STATUS.noSuchFile)
      if (files.has(to)) return status(id, STATUS.failure)
      files.set(to, files.get(from)!)
      return status(id, STATUS.ok)
    }
    if (name === 'fsync@openssh.com') return status(id, STATUS.ok)
    if (name === 'statvfs@openssh.com') {
      const numbers = [4096n, 4096n, 10n ** 9n, 10n ** 8n, 10n ** 8n, 0n, 0n, 0n, 0n, 0n, 255n]
      return encodeRequest(ANSWER.extended, id, numbers)
    }
    return status(id, STATUS.unsupported)
  }

  #handleFor(id: number, path: string, file: FakeFile | undefined): Uint8Array {
    const handle = `h${this.#nextHandle}`
    this.#nextHandle += 1
    this.#handles.set(handle, { path, file, listed: false })
    return encodeRequest(ANSWER.handle, id, [handle])
  }

  #namesOf(id: number, folder: string): Uint8Array {
    const inside = (path: string): boolean => path !== '/' && posix.dirname(path) === folder
    const entries = [
      ...[...this.#fake.folders].filter(inside).map((path) => [posix.basename(path), 'drwxr-x--- 1', 4, 0o040_750]),
      ...[...this.#fake.files]
        .filter(([path]) => inside(path))
        .map(([path, file]) => [
          posix.basename(path),
          '-rw-r----- 1',
          0x0d,
          BigInt(file.length),
          0o100_640,
          file.modifiedS,
          file.modifiedS,
        ]),
    ]
    return encodeRequest(ANSWER.name, id, [entries.length, ...entries.flat()])
  }
}

export function status(id: number, code: number): Uint8Array {
  return encodeRequest(ANSWER.status, id, [code, 'TOPSECRET text of the server', ''])
}

function attributesOf(id: number, file: FakeFile): Uint8Array {
  return encodeRequest(ANSWER.attrs, id, [0x0d, BigInt(file.length), 0o100_640, file.modifiedS, file.modifiedS])
}
