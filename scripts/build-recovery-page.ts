// Builds recovery/recover.html, one file without network, from recovery/page and our own format code. The same sources give the same bytes.
// Usage: build-recovery-page.ts [--check]
import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const folder = join(root, 'recovery/page')
export const PAGE = join(root, 'recovery/recover.html')
export const PAGE_BYTES_MAX = 1_500_000

/** The whole page as text. */
export async function buildRecoveryPage(): Promise<string> {
  const { build } = await import('vite')
  const used = await usedLimits()
  const made = await build({
    configFile: false,
    root,
    logLevel: 'error',
    resolve: { conditions: ['browser', 'module', 'import', 'default'] },
    plugins: [{ name: 'only-what-is-used', enforce: 'pre', transform: (code, id) => onlyUsed(code, id, used) }],
    build: {
      write: false,
      target: 'es2023',
      minify: true,
      reportCompressedSize: false,
      lib: { entry: join(folder, 'page.ts'), formats: ['iife'], name: 'recovery' },
    },
  })
  const [first] = Array.isArray(made) ? made : [made]
  if (!first || !('output' in first)) throw new Error('vite made nothing')
  const chunks = first.output.filter((file) => file.type === 'chunk')
  if (chunks.length !== 1 || first.output.length !== 1) throw new Error('the page must be one script')
  // A script ends at the first `</script`, wherever it stands.
  const script = `\n${chunks[0]!.code.replaceAll(/<\/(script)/gi, String.raw`<\/$1`).replaceAll('<!--', String.raw`<\!--`)}`
  const style = `\n${await readFile(join(folder, 'page.css'), 'utf8')}`
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}' 'wasm-unsafe-eval'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const html = await readFile(join(folder, 'page.html'), 'utf8')
  return html
    .replace('%POLICY%', () => policy)
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script></script>', () => `<script>${script}</script>`)
}

/** The two tables of `base` that every room adds to, cut down to what this page can meet: its bytes change only with its own sources. */
function onlyUsed(code: string, id: string, used: ReadonlySet<string>): string | undefined {
  if (id === join(root, 'src/base/codes.ts'))
    return code.replaceAll(/^ {2}'([a-z]+)\.[^']+': \{[^}]*\},\n/gm, (row, room: string) =>
      ['base', 'crypto', 'format'].includes(room) ? row : '',
    )
  if (id === join(root, 'src/base/limits.ts'))
    return code.replaceAll(/^ {2}(\w+): [^,\n]*,\n/gm, (row, name: string) => (used.has(name) ? row : ''))
  return undefined
}

async function usedLimits(): Promise<Set<string>> {
  const files = globSync(['src/{base,crypto,format}/*.ts', 'recovery/page/*.ts'], { cwd: root })
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')))
  return new Set(texts.flatMap((text) => [...text.matchAll(/\blimits\.(\w+)/g)].map(([, name]) => name!)))
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

if (import.meta.main) {
  const page = await buildRecoveryPage()
  if (Buffer.byteLength(page) > PAGE_BYTES_MAX)
    throw new Error(`recover.html has ${Buffer.byteLength(page)} bytes, more than ${PAGE_BYTES_MAX}`)
  if (!process.argv.includes('--check')) await writeFile(PAGE, page)
  else if ((await readFile(PAGE, 'utf8').catch(() => '')) !== page) {
    console.error('recovery/recover.html is not what its sources give: run node bin/run.mjs scripts/build-recovery-page.ts')
    process.exitCode = 1
  }
}
