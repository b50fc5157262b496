// Makes the package for other programs: `quorate/vault` and `quorate/client` as JavaScript with types, since Node strips no types below
// node_modules. What they need goes in, and nothing else. Usage: pack.ts [--out FOLDER]; prints the name of the file that npm packed.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = resolve(import.meta.dirname, '..')
const COMPILE_MS = 300_000
const PACK_MS = 120_000
/** What other programs import; and the threads, which nothing imports. */
const ENTRIES = ['embed/vault', 'embed/client']
const THREADS = ['database/sqlite-worker', 'storage/chunk-thread']
/** Read while they work: the recovery kit gives these away. */
const STANDING = [
  'recovery/recover.py',
  'recovery/recover.html',
  'recovery/README.md',
  'docs/spec/fragment.md',
  'docs/spec/vault.md',
  'docs/spec/locations.md',
  'docs/spec/signing-keys.md',
  'LICENSE',
  'NOTICE',
]

interface PackageJson {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly imports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies: Readonly<Record<string, string>>
}

/** Packs into `out` and answers the path of the package. Throws with the words of the tool that failed. */
export function pack(out: string): string {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, '.cache/pack-'))
  try {
    compile(folder)
    for (const file of STANDING) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      cpSync(join(root, file), join(folder, file))
    }
    cpSync(join(root, 'docs/operate/embed.md'), join(folder, 'README.md'))
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(folder), undefined, 2)}\n`)
    mkdirSync(out, { recursive: true })
    const said = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', out], { cwd: folder, timeoutMs: PACK_MS })
    const name = /"filename":\s*"([^"]+)"/.exec(said)?.[1]
    if (name === undefined) throw new Error(`npm pack did not name its file:\n${said}`)
    return join(out, name)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** TypeScript to JavaScript and declarations below `dist`, with names of files as they are there. */
function compile(folder: string): void {
  const files = [...ENTRIES, ...THREADS].map((name) => join(root, 'src', `${name}.ts`))
  const options = {
    noEmit: false,
    // Types are checked by the check of the checkout; declarations still have to be nameable.
    noCheck: true,
    declaration: true,
    outDir: join(folder, 'dist'),
    rootDir: join(root, 'src'),
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: true,
    removeComments: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  }
  const config = join(folder, 'tsconfig.json')
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions: options, files, include: [], exclude: [] }))
  const { bin } = JSON.parse(readFileSync(join(root, 'node_modules/typescript/package.json'), 'utf8')) as { bin: { tsc: string } }
  run(process.execPath, [join(root, 'node_modules/typescript', bin.tsc), '-p', config], { cwd: root, timeoutMs: COMPILE_MS })
  rmSync(config)
  for (const file of globSync('dist/**/*.{js,d.ts}', { cwd: folder }).map((name) => join(folder, name))) {
    writeFileSync(file, rewritten(readFileSync(file, 'utf8')))
  }
}

/** Names that the compiler leaves: of threads, and in declarations. */
function rewritten(text: string): string {
  return text
    .replace(/(new URL\(\s*['"]\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1.js$2')
    .replace(/((?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1.js$2')
}

/** What npm is told: two doors, the faces of the rooms inside, and the packages that are really imported. */
function manifest(folder: string): object {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson
  const packages = importedPackages(folder)
  const missing = [...packages].filter((name) => !(name in own.dependencies))
  if (missing.length > 0) throw new Error(`not among the dependencies of package.json: ${missing.join(', ')}`)
  const inDist = (face: string): string => face.replace('./src/', './dist/').replace(/\.ts$/, '.js')
  const faces = Object.entries(own.imports).map(([name, face]) => [
    name,
    typeof face === 'string' ? inDist(face) : Object.fromEntries(Object.entries(face).map(([when, file]) => [when, inDist(file)])),
  ])
  return {
    name: own.name,
    version: own.version,
    description: own.description,
    license: own.license,
    type: 'module',
    engines: { node: '>=26' },
    exports: Object.fromEntries([
      ...ENTRIES.map((entry) => [`./${entry.split('/')[1]}`, { types: `./dist/${entry}.d.ts`, default: `./dist/${entry}.js` }]),
      ['./package.json', './package.json'],
    ]),
    imports: Object.fromEntries(faces.filter(([, face]) => exists(folder, face))),
    dependencies: Object.fromEntries([...packages].toSorted().map((name) => [name, own.dependencies[name]])),
  }
}

/** Faces of rooms that are not in the package are left out. */
function exists(folder: string, face: unknown): boolean {
  const files = typeof face === 'string' ? [face] : Object.values(face as Record<string, string>)
  return existsSync(join(folder, files.at(-1) ?? ''))
}

function importedPackages(folder: string): Set<string> {
  const packages = new Set<string>()
  for (const file of globSync('dist/**/*.{js,d.ts}', { cwd: folder })) {
    const text = readFileSync(join(folder, file), 'utf8')
    for (const [, name = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'".#][^'"]*)['"]/g)) {
      if (
        name.startsWith('node:') ||
        builtinModules.includes(name) ||
        !/^(?:@[a-z0-9-]+\/)?[a-z0-9][a-z0-9.-]*(?:\/[\w.@/-]+)?$/.test(name)
      )
        continue
      packages.add(name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
    }
  }
  return packages
}

function run(program: string, args: readonly string[], { cwd, timeoutMs }: { readonly cwd: string; readonly timeoutMs: number }): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: timeoutMs })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${program} ${args[0]} failed:\n${stdout}${stderr}`)
  return stdout
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: '.' } } })
  console.log(pack(resolve(values.out)))
}
