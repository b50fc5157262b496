// Starts a headless Chromium for tests. It unpacks into a folder of its own, which goes away at the end.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium as driver } from 'playwright-core'

export interface StartedBrowser {
  readonly browser: Browser
  /** Ends the browser and removes its folder. */
  close(): Promise<void>
}

/** Switches that tests of a real site must not have: they turn off what browsers enforce, or put everything into one process. */
const UNWANTED = /^--(?:headless|single-process|allow-running-insecure-content|disable-web-security|disable-site-isolation-trials)/

export async function startBrowser(): Promise<StartedBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-browser-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5 })
  try {
    const { executablePath, args, libraries } = await unpacked(folder)
    await writeFile(join(folder, 'fonts', 'fonts.conf'), fontConfiguration(folder))
    const environment = { ...process.env, TMPDIR: folder, HOME: folder, FONTCONFIG_PATH: join(folder, 'fonts') }
    const options = { executablePath, args: args.filter((argument) => !UNWANTED.test(argument)), headless: true, env: environment }
    // Where the system lacks libraries that Chromium needs (NSS above all), those of the package serve.
    const browser = await driver
      .launch(options)
      .catch(() => driver.launch({ ...options, env: { ...environment, LD_LIBRARY_PATH: libraries } }))
    return {
      browser,
      close: async () => {
        await browser.close()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Names the fonts that the package brought, wherever they were unpacked. Without a font Chromium draws no text at all, not even in web fonts. */
function fontConfiguration(folder: string): string {
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    `<fontconfig><dir>${folder}/fonts/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>`,
  ].join('\n')
}

/** The package unpacks where TMPDIR says, so it is changed while it does. */
async function unpacked(folder: string): Promise<{ executablePath: string; args: string[]; libraries: string }> {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    const { default: chromium, inflate } = await import('@sparticuz/chromium')
    chromium.setGraphicsMode = false
    const executablePath = await chromium.executablePath()
    const packed = new URL('../bin/al2023.tar.br', import.meta.resolve('@sparticuz/chromium'))
    const libraries = join(await inflate(fileURLToPath(packed)), 'lib')
    return { executablePath, args: chromium.args, libraries }
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}
