// s3rver, a small S3 server that promises more than it keeps. Usage: s3rver.ts DIR PORT; ends when its standard input closes.
import { rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { setTimeout } from 'node:timers/promises'

interface Server {
  run(): Promise<unknown>
  close(): Promise<unknown>
}

interface FileStore {
  putObject: (this: FileStore, object: { readonly bucket: string; readonly key: string }) => Promise<{ readonly size: number }>
  getResourcePath(bucket: string, key: string, resource: 'object'): string
}

const [folder, port] = process.argv.slice(2)
if (folder === undefined || port === undefined) throw new Error('usage: s3rver.ts DIR PORT')
const require = createRequire(import.meta.url)
const S3rver = require('s3rver') as new (options: Record<string, unknown>) => Server
const { prototype } = require('s3rver/lib/stores/filesystem.js') as { prototype: FileStore }

// It answers before its file is written, which tests of other things would meet by chance.
const { putObject } = prototype
prototype.putObject = async function (object) {
  const stored = await putObject.call(this, object)
  const path = this.getResourcePath(object.bucket, object.key, 'object')
  for (let look = 0; look < 1000 && (await stat(path)).size < stored.size; look++) await setTimeout(1)
  return stored
}

const server = new S3rver({ address: '127.0.0.1', port: Number(port), directory: folder, silent: true, allowMismatchedSignatures: false })
process.stdin.resume()
process.stdin.on('close', () => {
  void rm(folder, { recursive: true, force: true }).finally(() => process.exit(0))
})
await server.run()
console.log('ready')
