// s3rver, a small S3 server that promises more than it keeps. Usage: s3rver.ts DIR PORT; ends when its standard input closes.
import { rm } from 'node:fs/promises'
import { createRequire } from 'node:module'

interface Server {
  run(): Promise<unknown>
  close(): Promise<unknown>
}

const [folder, port] = process.argv.slice(2)
if (folder === undefined || port === undefined) throw new Error('usage: s3rver.ts DIR PORT')
const S3rver = createRequire(import.meta.url)('s3rver') as new (options: Record<string, unknown>) => Server

const server = new S3rver({ address: '127.0.0.1', port: Number(port), directory: folder, silent: true, allowMismatchedSignatures: false })
process.stdin.resume()
process.stdin.on('close', () => {
  void rm(folder, { recursive: true, force: true }).finally(() => process.exit(0))
})
await server.run()
console.log('ready')
