// A site that runs until it is stopped: its private socket, its page on localhost, its link.
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure, systemClock } from '#base'
import { createApi, createLoopback, loadMetrics, type Api, type Loopback } from '#gateways/api'
import type { Sink } from '../cli/cli.ts'
import { databasePlace } from './database-place.ts'
import type { Environment } from './environment.ts'
import { busy, readHolder, tryLock, type HomeLock } from './home-lock.ts'
import { watchForAlarms } from './alarm-watch.ts'
import { homePaths, prepareHome, type HomePaths } from './home.ts'
import { createLog, type SiteLog } from './log.ts'
import { operator } from './operator.ts'
import type { PreparedOutside } from './outside.ts'
import { providerSettings } from './provider-settings.ts'
import { planOutside, type OutsideRequest } from './outside-request.ts'
import { productVersion } from './product-version.ts'
import { openSite, type OpenSite } from './site.ts'
import { socketAddress } from './socket-address.ts'

export interface ServeOptions {
  readonly environment: Environment
  readonly home: string | undefined
  readonly passphrase: string | undefined
  readonly waitMs: number
  readonly port: number | undefined
  /** What was typed goes before the environment. */
  readonly outside: OutsideRequest
  /** Open the page in a browser. */
  readonly open: boolean
  /** Builds the page when its sources are newer; else what is built is served. */
  readonly build: boolean
  /** The folder that relative names of files belong to. */
  readonly folder: string
  /** Ends the site. */
  readonly signal: AbortSignal
  readonly errors: Sink
  /** Called once, when the site can be used. */
  ready(site: ServedSite): Promise<void>
}

export interface ServedSite {
  readonly home: string
  readonly port: number
  readonly url: string
  /** Holds the code of this start: whoever has it may do everything. */
  readonly link: string
  /** How others reach it. */
  readonly outside?: ServedOutside | undefined
}

export interface ServedOutside {
  readonly url: string
  /** Addresses with ports. */
  readonly listening: readonly string[]
  /** The page that says how devices trust the site's own certificate authority. */
  readonly install?: string | undefined
  /** Of that authority. */
  readonly fingerprint?: string | undefined
}

const PORT = 7878
const PORTS_TRIED = 20
const RETRY_MS = 50

export async function serve(options: ServeOptions): Promise<void> {
  const paths = homePaths(options.home ?? options.environment.home)
  await prepareHome(paths)
  const lock = await waitForLock(paths, options)
  try {
    await runSite(paths, lock, options)
  } finally {
    await lock.release()
  }
}

/** A command that works for itself is waited for; a site that runs already is not. */
async function waitForLock(paths: HomePaths, options: ServeOptions): Promise<HomeLock> {
  const until = performance.now() + options.waitMs
  for (;;) {
    const lock = await tryLock(paths, 'serve')
    if (lock !== undefined) return lock
    const holder = await readHolder(paths)
    if (holder?.link !== undefined) {
      throw new Failure('storage.home-busy', {
        detail: `A site runs already for ${paths.folder}, as process ${holder.pid}.`,
        next: `Its page: ${holder.link}`,
        culprits: [paths.folder],
      })
    }
    if (performance.now() >= until || options.signal.aborted) throw busy(paths, holder, true)
    await sleep(RETRY_MS)
  }
}

async function runSite(paths: HomePaths, lock: HomeLock, options: ServeOptions): Promise<void> {
  const log = await createLog(options.environment.logLevel ?? 'warn')
  const { environment, passphrase } = options
  const asked = Object.entries(options.outside).filter(([, value]) => value !== undefined)
  const plan = planOutside({ ...environment.outside, ...Object.fromEntries(asked) }, options.folder)
  const outside =
    plan === undefined ? undefined : await (await import('./outside.ts')).prepareOutside(plan, { home: paths.folder, clock: systemClock })
  const pages = await builtPages(options)
  const database = await databasePlace(paths.folder, environment)
  const provider = await providerSettings(environment.provider)
  const site = await openSite({ home: paths.folder, environment: environment.variables, passphrase, database, log, provider })
  let watching: Promise<void> | undefined
  try {
    await noteStart(site, 'start', log)
    const { createMetrics } = await loadMetrics()
    const metrics = createMetrics({ door: site.access.enter(operator()), databaseWait: () => site.databaseLoad() })
    const api = await createApi({
      access: site.access,
      operator: operator(),
      identity: site.identity,
      log,
      pages,
      install: outside?.install,
      metrics,
    })
    const socket = socketAddress(paths.socket)
    try {
      await api.listenOnSocket(socket.path)
      const loopback = createLoopback()
      const port = await listen(api, loopback, options)
      const url = `http://localhost:${port}/`
      const link = `${url}#open=${loopback.code}`
      const served = outside === undefined ? undefined : await openOutside(outside, api, url)
      void outside?.watch(options.signal)
      site.alarms.run()
      watching = watchForAlarms(
        { ...site, home: paths.folder, clock: systemClock, log, certificate: certificateOf(outside) },
        options.signal,
      )
      await lock.announce({ command: 'serve', link })
      await options.ready({ home: paths.folder, port, url, link, ...(served === undefined ? {} : { outside: served }) })
      if (options.open) await openBrowser(paths, link, options)
      await aborted(options.signal)
    } finally {
      await api.close()
      socket.close()
      await rm(paths.door, { force: true })
    }
  } finally {
    if (options.signal.aborted) await watching
    await noteStart(site, 'stop', log)
    await site.close()
  }
}

/** A log that cannot be continued refuses every entry; the site starts all the same, to say so. */
async function noteStart(site: OpenSite, kind: 'start' | 'stop', log: SiteLog): Promise<void> {
  try {
    const actor = { kind: 'site', id: 'site', name: 'the site' } as const
    await site.audit.append({ kind, actor, outcome: 'done', detail: { version: productVersion } })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    log.error({ code: error.code, detail: error.message }, `the ${kind} of the site could not be written to the audit log`)
  }
}

function certificateOf(outside: PreparedOutside | undefined): (() => { endsMs: number; trouble: boolean; own: boolean }) | undefined {
  const certificate = outside?.certificate
  if (certificate === undefined) return undefined
  return () => ({ endsMs: certificate.facts.endsMs, trouble: certificate.trouble !== undefined, own: outside?.install !== undefined })
}

async function openOutside(outside: PreparedOutside, api: Api, loopback: string): Promise<ServedOutside> {
  const listening = await outside.open(api)
  const { install } = outside
  const own = install === undefined ? {} : { install: `${loopback}install`, fingerprint: install.fingerprint }
  return { url: outside.url, listening, ...own }
}

/** The port that was asked for and no other, or the usual one, or the next free one. */
async function listen(api: Api, loopback: Loopback, options: ServeOptions): Promise<number> {
  const first = options.port ?? PORT
  for (let port = first; ; port++) {
    try {
      const bound = await api.listenOnLoopback({ port, loopback })
      if (bound !== first && first !== 0) await options.errors.write(`quorate: port ${first} is taken, so it is ${bound}\n`)
      return bound
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES'))) throw error
      if (options.port !== undefined || port >= first + PORTS_TRIED) {
        throw new Failure('main.config', {
          detail: error.code === 'EACCES' ? `Port ${port} may not be used by this user.` : `Port ${port} is taken by another program.`,
          next: 'Choose another one with --port, or leave it away for the next free one.',
          cause: error,
        })
      }
    }
  }
}

/** The folder of the built page. A site without one serves the API all the same. */
async function builtPages(options: ServeOptions): Promise<string | undefined> {
  const folder = fileURLToPath(new URL('../../web/dist/', import.meta.url))
  if (!options.build && existsSync(`${folder}index.html`)) return folder
  try {
    const builder = (await import(new URL('../../scripts/build-web.ts', import.meta.url).href)) as { buildWebIfStale(): Promise<string> }
    return await builder.buildWebIfStale()
  } catch (error) {
    if (existsSync(`${folder}index.html`)) return folder
    await options.errors.write(
      `quorate: the page could not be built, so only the command line is served: ${error instanceof Error ? error.message : ''}\n`,
    )
    return undefined
  }
}

/** By way of a file that only this person can read: arguments of programs can be read by everyone on the machine. */
async function openBrowser(paths: HomePaths, link: string, options: ServeOptions): Promise<void> {
  if (!options.environment.mayOpenBrowser) return
  const page = `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url=${link}"><title>Quorate</title>`
  await writeFile(paths.door, page, { mode: 0o600 })
  const { spawn } = await import('node:child_process')
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open'
  spawn(command, [paths.door], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
