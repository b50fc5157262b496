// An SSH connection with an SFTP session on it, by the package ssh2. Only here is that package spoken to.
import { Socket } from 'node:net'
import ssh2, { type AnyAuthMethod, type Client, type ClientChannel, type ServerHostKeyAlgorithm } from 'ssh2'
import { type Clock, Failure } from '#base'
import { HOST_KEY_KINDS, type HostAddress, isPinned } from './host-keys.ts'
import { LinkError } from './link-error.ts'
import type { Login } from './login.ts'
import { SftpSession } from './session.ts'

export interface ConnectOptions {
  readonly address: HostAddress
  readonly login: Login
  readonly clock: Clock
  readonly stallMs: number
  readonly connectMs: number
  readonly signal: AbortSignal
  /** Tried first: what worked the last time. */
  readonly kind?: number | undefined
}

/** Opens a session; tells which kind of host key it was. Throws `LinkError`, or `base.cancelled`. */
export async function connectSftp(options: ConnectOptions): Promise<{ readonly session: SftpSession; readonly kind: number }> {
  // A server has keys of several kinds and shows one of the kind it is asked for; which of them was pinned we do not know.
  const kinds = HOST_KEY_KINDS.map((_, kind) => kind).sort((a, b) => Number(b === options.kind) - Number(a === options.kind))
  let shown = false
  for (const kind of kinds) {
    const result = await connectOnce(options, [...HOST_KEY_KINDS[kind]!])
    if (result instanceof SftpSession) return { session: result, kind }
    shown ||= result === 'another key'
  }
  throw new LinkError('untrusted', shown ? 'another key' : 'no key')
}

/** A session; or that the server showed another key, or has none of this kind. */
function connectOnce(options: ConnectOptions, kinds: ServerHostKeyAlgorithm[]): Promise<SftpSession | 'another key' | 'no such key'> {
  const { address, login, clock, signal } = options
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Failure('base.cancelled'))
    const socket = new Socket()
    // Without it every packet waits for the one before it to be acknowledged: more than forty times slower.
    socket.setNoDelay(true)
    const client = new ssh2.Client()
    const patience = new AbortController()
    let session: SftpSession | undefined
    let pinned: boolean | undefined
    let done = false

    const settle = (act: () => void): void => {
      if (done) return
      done = true
      patience.abort()
      signal.removeEventListener('abort', cancel)
      act()
    }
    const giveUp = (act: () => void): void =>
      settle(() => {
        socket.destroy()
        act()
      })
    const cancel = (): void => giveUp(() => reject(new Failure('base.cancelled')))
    const fail = (error: LinkError): void => {
      session?.fail(error)
      giveUp(() => reject(error))
    }
    const begin = async (opened: SftpSession): Promise<void> => {
      try {
        await opened.start(signal)
        settle(() => resolve(opened))
      } catch (error) {
        giveUp(() => reject(error instanceof Error ? error : new LinkError('lost')))
      }
    }
    signal.addEventListener('abort', cancel, { once: true })
    clock.sleep(options.connectMs, patience.signal).then(
      () => fail(new LinkError('unconnected', 'ETIMEDOUT')),
      () => undefined,
    )
    // Kept for good: errors may come after the end, and one that nobody hears would end the process.
    socket.on('error', () => undefined)
    client.on('error', (error: Error & { level?: string; code?: unknown }) => {
      if (pinned === false) return giveUp(() => resolve('another key'))
      if (pinned === undefined && error.level === 'handshake' && /no matching host key/i.test(error.message))
        return giveUp(() => resolve('no such key'))
      fail(explain(error))
    })
    client.on('close', () => fail(new LinkError(session === undefined ? 'unconnected' : 'lost')))
    client.on('end', () => session?.fail(new LinkError('lost')))
    client.on('ready', () => {
      client.subsys('sftp', (error, channel) => {
        if (error !== undefined) return fail(new LinkError('no-sftp'))
        session = sessionOn(channel, { client, socket, options })
        void begin(session)
      })
    })
    try {
      client.connect({
        sock: socket,
        username: login.user,
        // Ours is the clock that counts.
        readyTimeout: 0,
        hostVerifier: (key: Buffer) => {
          pinned = isPinned(key, login.pins)
          return pinned
        },
        authHandler: methodsOf(login),
        algorithms: {
          serverHostKey: kinds,
          cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes128-ctr', 'aes256-ctr'],
          hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
          // Fragments are noise: nothing to compress.
          compress: ['none'],
        },
      })
      socket.connect({ host: address.host.replace(/^\[(.*)\]$/, '$1'), port: address.port })
    } catch {
      fail(new LinkError('unconnected'))
    }
  })
}

function sessionOn(
  channel: ClientChannel,
  around: { readonly client: Client; readonly socket: Socket; readonly options: ConnectOptions },
): SftpSession {
  const { client, socket, options } = around
  const session = new SftpSession(
    {
      send: (bytes) => void channel.write(bytes),
      moved: () => socket.bytesRead + socket.bytesWritten - socket.writableLength,
      close: () => {
        client.destroy()
        socket.destroy()
      },
    },
    options,
  )
  channel.on('data', (chunk: Buffer) => session.receive(chunk))
  channel.stderr.resume()
  channel.on('error', () => session.fail(new LinkError('lost')))
  channel.on('close', () => session.fail(new LinkError('lost')))
  channel.on('end', () => session.fail(new LinkError('lost')))
  return session
}

function methodsOf({ user: username, key, password }: Login): AnyAuthMethod[] {
  const methods: AnyAuthMethod[] = []
  if (key !== undefined) methods.push({ type: 'publickey', username, key } as unknown as AnyAuthMethod)
  if (password !== undefined) {
    methods.push({ type: 'password', username, password })
    // Servers with PAM ask for the password this way; anything but one question is not for us.
    methods.push({
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.length === 1 ? [password] : []),
    })
  }
  return methods
}

function explain(error: Error & { level?: string; code?: unknown }): LinkError {
  const code = typeof error.code === 'string' && /^[A-Z0-9_]{1,64}$/.test(error.code) ? error.code : undefined
  if (error.level === 'client-authentication') return new LinkError('refused')
  if (error.level === 'client-socket') return new LinkError(code === 'ECONNRESET' || code === 'EPIPE' ? 'lost' : 'unconnected', code)
  if (error.level === 'handshake' || error.level === 'protocol') return new LinkError('garbled', 'SSH')
  return new LinkError('lost', code)
}
