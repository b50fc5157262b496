// A vault, the real program over it, and a browser in front, for the tests of one file.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { startBrowser, type StartedBrowser } from '../browser.ts'
import { type Program, startProgram } from './program.ts'

const root = resolve(import.meta.dirname, '../..')

export interface Stage {
  readonly folder: string
  readonly home: string
  /** For what pages look like. */
  readonly pictures: string
  /** What browsers complained of: errors, and what their policy stopped. */
  readonly complaints: string[]
  /** The program over the home, and a browser. */
  start(): Promise<void>
  end(): Promise<void>
  /** There once it has started. */
  readonly program: Program
  readonly started: StartedBrowser
  /** The program ends, and starts again after `meanwhile`; port 0 = any free one. */
  restart(meanwhile: () => void | Promise<void>, port?: number): Promise<void>
  /** The command line in the home; throws what it said when it failed. That something is not well (3) is none of its failures. */
  readonly quorate: (...args: readonly string[]) => string
  /** A browser of its own, whose complaints count. */
  open(how: { readonly locale?: string; readonly width?: number; readonly waitMs?: number }): Promise<BrowserContext>
}

/** Call once at the top of a file, `start` in its `before`, `end` in its `after`. */
export function makeStage(): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-'))
  const home = join(folder, 'home')
  const pictures = join(folder, 'pictures')
  mkdirSync(pictures)
  let program: Program | undefined
  let started: StartedBrowser | undefined
  const complaints: string[] = []
  return {
    folder,
    home,
    pictures,
    complaints,
    get program() {
      return program!
    },
    get started() {
      return started!
    },
    quorate: (...args) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/main/quorate.ts'), ...args], {
        encoding: 'utf8',
        env: { ...process.env, QUORATE_HOME: home, NODE_TEST_CONTEXT: undefined },
      })
      if (status !== 0 && status !== 3) throw new Error(`quorate ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`)
      return stdout
    },
    start: async () => {
      program = await startProgram({ home })
      started = await startBrowser()
    },
    end: async () => {
      await started?.close()
      await program?.stop()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
    restart: async (meanwhile, port = 0) => {
      await program?.stop()
      await meanwhile()
      program = await startProgram({ home, port })
    },
    open: async ({ locale = 'en-GB', width = 1280, waitMs = 20_000 }) => {
      const context = await started!.browser.newContext({
        locale,
        viewport: { width, height: 800 },
        acceptDownloads: true,
        reducedMotion: 'reduce',
      })
      context.setDefaultTimeout(waitMs)
      context.on('weberror', (error) => complaints.push(error.error().message))
      context.on('console', (message) => {
        if (/Content Security Policy|Minified React|Warning:/.test(message.text())) complaints.push(message.text())
      })
      return context
    },
  }
}

/** The page of the program's link, once it says that the vault is healthy. */
export async function healthyPage(stage: Stage, context: BrowserContext): Promise<Page> {
  const page = await context.newPage()
  await page.goto(stage.program.link)
  await page.locator('[data-testid=health][data-health=healthy]').waitFor({ timeout: 60_000 })
  return page
}
