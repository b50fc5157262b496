// Azurite, Microsoft's emulator of Azure Blob Storage. Usage: azurite.ts DIR PORT; ends when its standard input closes.
import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { setTimeout } from 'node:timers/promises'

const START_LOOKS_MAX = 1200

const [folder, port] = process.argv.slice(2)
if (folder === undefined || port === undefined) throw new Error('usage: azurite.ts DIR PORT')
const program = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')
const options = [
  '--blobHost',
  '127.0.0.1',
  '--blobPort',
  port,
  '--location',
  folder,
  '--silent',
  '--disableTelemetry',
  '--skipApiVersionCheck',
]
const child = spawn(process.execPath, ['--disable-warning=DeprecationWarning', program, ...options], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))

process.stdin.resume()
process.stdin.on('close', () => {
  child.kill('SIGKILL')
  void ended.then(() => rm(folder, { recursive: true, force: true })).finally(() => process.exit(0))
})

for (let look = 0; ; look += 1) {
  const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
  await answer?.body?.cancel()
  if (answer !== undefined) break
  if (look === START_LOOKS_MAX || child.exitCode !== null) throw new Error('it does not answer')
  await setTimeout(100)
}
console.log('ready')
