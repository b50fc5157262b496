// Builds the browser client into web/dist when its sources changed. Runs vite in a process of its own, so that the site stays small.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'web/dist')
const STAMP = '.sources'
const CODECS = [
  '@cornerstonejs/codec-openjpeg/dist/openjpegwasm_decode.wasm',
  '@cornerstonejs/codec-charls/dist/charlswasm_decode.wasm',
  '@cornerstonejs/codec-openjph/dist/openjphjs.wasm',
]
const BUILD_MS = 180_000
const ERROR_CHARS = 4000
const SOURCES = [
  'web/index.html',
  'web/public/**/*',
  'web/src/**/*',
  'src/base/*.ts',
  'src/contract/*.ts',
  'src/format/**/*.ts',
  'src/crypto/*.ts',
  'scripts/build-web.ts',
  'package-lock.json',
]

/** The folder of the built page. Builds it first when it is absent or its sources changed; throws with vite's words when that fails. */
export async function buildWebIfStale(): Promise<string> {
  const sources = await fingerprint()
  const built = await readFile(join(dist, STAMP), 'utf8').catch(() => '')
  if (built !== sources) await inOwnProcess()
  return dist
}

/** Builds beside and swaps at the end, so that a page being served, or another build at the same time, never meets half of it. */
async function build(): Promise<void> {
  const sources = await fingerprint()
  const beside = join(root, `.cache/web-${process.pid}`)
  const old = `${beside}-old`
  const { build: bundle } = await import('vite')
  const { default: react } = await import('@vitejs/plugin-react')
  try {
    await bundle({
      configFile: false,
      root: join(root, 'web'),
      logLevel: 'warn',
      cacheDir: join(root, '.cache/vite'),
      plugins: [react(), filesAskedFor(), withoutSummaries],
      resolve: { conditions: ['browser', 'module', 'import', 'default'] },
      build: {
        outDir: beside,
        emptyOutDir: true,
        target: 'es2023',
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
        chunkSizeWarningLimit: 900,
        // What every page needs in one file: each file more costs its headers, which for small ones weigh more than they do.
        rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'base', tags: ['$initial'] }] } } },
      },
    })
    await compress(beside)
    await writeFile(join(beside, STAMP), sources)
    await rename(dist, old).catch(() => {})
    await rename(beside, dist).catch(async (error: unknown) => {
      if ((await readFile(join(dist, STAMP), 'utf8').catch(() => '')) !== sources) throw error
    })
  } finally {
    await rm(beside, { recursive: true, force: true })
    await rm(old, { recursive: true, force: true })
  }
}

/** What is asked for by name: the programs of decoders; of pdf.js the worker, character maps, fonts, colour profiles. Not its sandbox for scripts: those are never run. */
function filesAskedFor(): { name: string; generateBundle(this: { emitFile(file: EmittedFile): string }): Promise<void> } {
  return {
    name: 'files-asked-for',
    async generateBundle() {
      for (const file of CODECS)
        this.emitFile({ type: 'asset', fileName: `codecs/${basename(file)}`, source: await readFile(join(root, 'node_modules', file)) })
      const folder = join(root, 'node_modules/pdfjs-dist')
      const files = globSync(['{cmaps,standard_fonts,wasm,iccs}/*', 'build/pdf.worker.min.mjs'], { cwd: folder })
      for (const file of files.filter((name) => !/quickjs/i.test(name))) {
        const fileName = `pdf/${file.replace('build/', '')}`
        this.emitFile({ type: 'asset', fileName, source: await readFile(join(folder, file)) })
      }
    },
  }
}

interface EmittedFile {
  readonly type: 'asset'
  readonly fileName: string
  readonly source: Uint8Array
}

/** What each route is for is said in documents of the API; the page only calls them, and its first load is bounded. */
const withoutSummaries = {
  name: 'without-summaries',
  transform: (code: string, id: string) =>
    id.startsWith(join(root, 'src/contract/'))
      ? code.replaceAll(/\bsummary:\s*(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/g, `summary: ''`)
      : undefined,
}

/** `.br` and `.gz` beside every text file, for servers that send them as they are. */
async function compress(folder: string): Promise<void> {
  for (const file of globSync('**/*.{js,mjs,css,html,svg,wasm}', { cwd: folder })) {
    const bytes = await readFile(join(folder, file))
    await writeFile(join(folder, `${file}.br`), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }))
    await writeFile(join(folder, `${file}.gz`), gzipSync(bytes, { level: 9 }))
  }
}

/** SHA-256 over names and contents of everything that goes into the page. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256')
  const entries = globSync(SOURCES, { cwd: root, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const file of entries.map((entry) => join(entry.parentPath, entry.name)).toSorted()) {
    hash
      .update(file.slice(root.length))
      .update('\0')
      .update(await readFile(file))
      .update('\0')
  }
  return hash.digest('hex')
}

async function inOwnProcess(): Promise<void> {
  await mkdir(join(root, '.cache'), { recursive: true })
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', import.meta.filename], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
    timeout: BUILD_MS,
  })
  let said = ''
  const listen = (part: Buffer): void => {
    said = (said + part.toString()).slice(-ERROR_CHARS)
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  const code = await new Promise<number | null>((done, fail) => {
    child.on('error', fail)
    child.on('close', done)
  })
  if (code !== 0) throw new Error(`the web page could not be built${code === null ? ' in time' : ''}:\n${said}`)
}

if (import.meta.main) await build()
