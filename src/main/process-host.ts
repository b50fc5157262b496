// This process as the host of the command line: its streams, its signals, its folder.
import { constants } from 'node:os'
import { Failure } from '#base'
import { OutputClosed, type Host, type Sink } from '../cli/cli.ts'
import type { Environment } from './environment.ts'
import { productVersion } from './product-version.ts'
import type { ServedSite } from './serve.ts'

export interface ProcessHost extends Host {
  /** The exit code that a signal asks for; undefined while none came. */
  readonly interrupted: () => number | undefined
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** A terminal may deliver one Ctrl-C twice, through the launcher. Only a later one means: now. */
const SECOND_THOUGHT_MS = 500

/** `build`: a page whose sources are newer is built before it is served. */
export function processHost(environment: Environment, options: { readonly build: boolean }): ProcessHost {
  const stop = new AbortController()
  let code: number | undefined
  let at = 0
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const now = performance.now()
      if (code !== undefined && now - at > SECOND_THOUGHT_MS) process.exit(code)
      if (code !== undefined) return
      code = 128 + constants.signals[signal]
      at = now
      stop.abort()
    })
  }
  return {
    version: productVersion,
    input: process.stdin,
    output: sink(process.stdout, stop.signal),
    errors: sink(process.stderr),
    folder: process.cwd(),
    personFolder: environment.personFolder,
    keyboard: process.stdin.isTTY && process.stderr.isTTY,
    showsPlaces: environment.logLevel !== undefined && environment.logLevel !== 'silent',
    signal: stop.signal,
    passphraseFile: environment.passphraseFile,
    interrupted: () => code,
    connect: async (request) => (await import('./connect.ts')).connect(environment, request, stop.signal),
    async verifyDeletion(bytes) {
      const { verifyDeletionRecord } = await import('#storage')
      const { record, dealer } = verifyDeletionRecord(bytes)
      const { vault, deletion, path, by, at, written, state, stillNamed, dealings } = record
      const labels = new Map(record.locations.map(({ id, label }) => [id, label]))
      const parts = dealings.flatMap(({ fragments }) => fragments)
      const answers = [...Map.groupBy(parts, ({ location, answer }) => `${answer} ${location}`).values()].map((some) => ({
        location: labels.get(some[0]!.location) ?? some[0]!.location,
        answer: some[0]!.answer,
        fragments: some.length,
      }))
      return { dealer, vault, deletion, path, by, at, written, state, stillNamed, dealings: dealings.length, answers }
    },
    async serve(request) {
      const { serve } = await import('./serve.ts')
      const out = sink(process.stdout)
      await serve({
        environment,
        ...request,
        // Nobody sits at a service or a script.
        open: request.open && process.stdout.isTTY,
        build: options.build,
        folder: process.cwd(),
        signal: stop.signal,
        errors: sink(process.stderr),
        ready: (site) => out.write(request.json ? `${JSON.stringify(site)}\n` : welcome(site)),
      })
    },
  }
}

function welcome(site: ServedSite): string {
  const own = `Quorate is ready. Its page, for you only:\n\n  ${site.link}\n\n  home  ${site.home}\n  stop  Ctrl-C\n`
  const { outside } = site
  if (outside === undefined) return own
  const trust =
    outside.install === undefined
      ? ''
      : `\nIts certificate is its own. How devices trust it:\n\n  ${outside.install}\n  ${outside.fingerprint ?? ''}\n`
  return `${own}\nFor others (listening on ${outside.listening.join(', ')}):\n\n  ${outside.url}\n${trust}`
}

/** `stop`: from then on nobody is waited for who does not read. */
export function sink(stream: NodeJS.WriteStream, stop?: AbortSignal): Sink {
  // Without a listener a closed pipe would end the process; the write that meets it says so.
  stream.on('error', () => {})
  return {
    isTerminal: stream.isTTY,
    columns: () => stream.columns || 80,
    write: (part) =>
      new Promise((resolve, reject) => {
        const cancel = (): void => reject(new Failure('base.cancelled'))
        stop?.addEventListener('abort', cancel, { once: true })
        stream.write(part, (error) => {
          stop?.removeEventListener('abort', cancel)
          if (error == null) resolve()
          else reject('code' in error && error.code === 'EPIPE' ? new OutputClosed() : error)
        })
      }),
  }
}
