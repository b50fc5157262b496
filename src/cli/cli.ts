// The face of the command line: reads it, does it, and answers with an exit code.
import { CommanderError, type Command } from '@commander-js/extra-typings'
import { assert, Failure, isFailure } from '#base'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { OutputClosed, type Host } from './host.ts'
import { createOutput, type Output } from './output.ts'
import { createProgram, type Globals, type Wish } from './program.ts'

/** Wishes that may make signing keys. */
const MAKES_KEYS: ReadonlySet<string> = new Set(['init', 'recover', 'join', 'writer-key'])

export { OutputClosed, type ConnectRequest, type Connection, type Host, type ServeRequest, type Sink } from './host.ts'

/** Loaded by those who find a running site. */
export const loadSocketTransport = () => import('./socket-transport.ts')

interface Parsed {
  readonly wish: Wish
  readonly globals: Globals
  readonly program: Command
}

/** Runs one command line. Never throws for what goes wrong in the world: that is said, and is the exit code. */
export async function run(argv: readonly string[], host: Host): Promise<number> {
  let parsed: Parsed | number
  try {
    parsed = await parse(argv, host)
  } catch (error) {
    await createOutput(host, { json: argv.includes('--json'), progress: false }).problem(error)
    return EXIT.usage
  }
  if (typeof parsed === 'number') return parsed
  const { globals } = parsed
  const out = createOutput(host, { json: globals.json === true, progress: globals.progress === true })
  try {
    return await fulfil(parsed, host, out)
  } catch (error) {
    if (error instanceof OutputClosed) return EXIT.done
    if (host.signal.aborted && isFailure(error, 'base.cancelled')) {
      await out.problem(
        error.next === undefined ? new Failure('base.cancelled', { detail: 'Interrupted; what was not finished is not there.' }) : error,
      )
      return EXIT.failed
    }
    await out.problem(error)
    return exitCodeOf(error)
  }
}

/** A number is the exit code of a command line that has done its work by being read: help. */
async function parse(argv: readonly string[], host: Host): Promise<Parsed | number> {
  let taken = undefined as Omit<Parsed, 'program'> | undefined
  let said = ''
  let warned = ''
  const program = createProgram(host.version, (wish, globals) => void (taken = { wish, globals }))
  const settle = (command: Command): void => {
    command.exitOverride().configureOutput({
      writeOut: (text) => void (said += text),
      writeErr: (text) => void (warned += text),
      getOutHelpWidth: () => host.output.columns(),
    })
    for (const below of command.commands) settle(below as Command)
  }
  settle(program)
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode !== 0 && error.code !== 'commander.help') throw misread(error)
    await (error.exitCode === 0 ? host.output.write(said) : host.errors.write(warned))
    return error.exitCode === 0 ? EXIT.done : EXIT.usage
  }
  assert(taken !== undefined, 'a command without an action')
  return { ...taken, program }
}

function misread(error: CommanderError): Failure {
  const [detail, ...rest] = error.message.replace(/^error: /, '').split('\n')
  const hint = rest.join(' ').trim()
  const next = `${hint === '' ? '' : `${hint.replace(/^\(|\)$/g, '')} `}See quorate --help, or --help after the command.`
  return new Failure('cli.usage', { detail: detail ?? error.message, next })
}

/** Those that need no site first, then the others with one. */
async function fulfil({ wish, globals, program }: Parsed, host: Host, out: Output): Promise<number> {
  if (wish.kind === 'completion') {
    const { completionScript } = await import('./completion.ts')
    await host.output.write(completionScript(program, wish.shell))
    return EXIT.done
  }
  if (wish.kind === 'deletion-verify') {
    const { verifyRecord } = await import('./commands/deletion-verify.ts')
    return verifyRecord({ host, out }, wish.file, { dealer: wish.dealer })
  }
  if (wish.kind === 'verify-audit') {
    const { verifyAudit } = await import('./commands/verify-audit.ts')
    return verifyAudit({ host, out }, wish.place, wish.options)
  }
  const waitMs = globals.wait * 1000
  if (wish.kind === 'complete-path') {
    const { completePath } = await import('./completion.ts')
    return completePath(host, { home: globals.home, prefix: wish.prefix })
  }
  const { passphraseOf } = await import('./passphrase.ts')
  const { planVault } = await import('./commands/init.ts')
  const plan = wish.kind === 'init' ? await planVault(host, wish.locations, wish.options) : undefined
  if (wish.kind === 'cat' && wish.range !== undefined) (await import('./commands/cat.ts')).parseByteRange(wish.range)
  const passphrase = await passphraseOf(host, globals, MAKES_KEYS.has(wish.kind))
  if (wish.kind === 'serve') {
    const { port, open, outside } = wish
    if (!['localhost', '127.0.0.1', '::1'].includes(wish.host)) throw new Failure('cli.usage', loopbackOnly(wish.host))
    await host.serve({ home: globals.home, passphrase, waitMs, port, open, outside, json: out.json })
    return EXIT.done
  }
  const connection = await host.connect({ home: globals.home, passphrase, waitMs, command: wish.kind })
  try {
    const context = { host, client: connection.client, out, signal: host.signal }
    const { perform } = await import('./perform.ts')
    return await perform(context, wish, { plan, passphrase })
  } finally {
    await connection.close()
  }
}

function loopbackOnly(given: string): { detail: string; next: string } {
  return {
    detail: `${given} is not this machine: the site speaks plain HTTP, so it serves loopback only.`,
    next: 'For other machines give the site a name: --public-url https://NAME. Or use a tunnel: ssh -L 7878:localhost:7878 THIS-MACHINE',
  }
}
