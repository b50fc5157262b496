// A registry of packages on this machine, over what is installed here: a package is installed from it as it would be from the world's.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { basename, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

interface Installed {
  readonly folder: string
  readonly manifest: { readonly name: string; readonly version: string }
}

export interface Packages extends AsyncDisposable {
  readonly url: string
  /** Names that were asked for. */
  readonly asked: ReadonlySet<string>
}

/** Every package of this checkout that the lockfile names and that is installed. */
function installed(): Installed[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, object> }
  return Object.keys(packages)
    .filter((path) => path.startsWith('node_modules/'))
    .flatMap((path) => {
      try {
        const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as Installed['manifest']
        return [{ folder: join(root, path), manifest }]
      } catch {
        return []
      }
    })
}

export async function servePackages(): Promise<Packages> {
  const all = Map.groupBy(installed(), ({ manifest }) => manifest.name)
  const asked = new Set<string>()
  const tarballs = new Map<string, Promise<Buffer>>()
  const tarball = (one: Installed): Promise<Buffer> => {
    const found = tarballs.get(one.folder) ?? pack(one.folder)
    tarballs.set(one.folder, found)
    return found
  }
  const server = createServer((request, response) => {
    void answer(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname.slice(1))).then(
      (body) => {
        if (body === undefined) response.writeHead(404).end('{}')
        else
          response.writeHead(200, { 'content-type': typeof body === 'string' ? 'application/json' : 'application/octet-stream' }).end(body)
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  const answer = async (path: string): Promise<string | Buffer | undefined> => {
    const file = /^tarball\/(.+)$/.exec(path)?.[1]
    if (file !== undefined) {
      const one = [...all.values()].flat().find(({ folder }) => folder === join(root, file))
      return one === undefined ? undefined : tarball(one)
    }
    const found = all.get(path)
    asked.add(path)
    if (found === undefined) return undefined
    const versions = await Promise.all(
      found.map(async (one) => {
        const bytes = await tarball(one)
        const dist = {
          tarball: `${url}tarball/${one.folder.slice(root.length + 1)}`,
          integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
        }
        return [one.manifest.version, { ...one.manifest, dist }] as const
      }),
    )
    return JSON.stringify({ name: path, 'dist-tags': { latest: versions[0]![0] }, versions: Object.fromEntries(versions) })
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return {
    url,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** As npm packs: everything below `package/`, without packages inside. */
async function pack(folder: string): Promise<Buffer> {
  const name = basename(folder)
  const args = ['-czf', '-', '--exclude', `${name}/node_modules`, '--transform', `s,^${name},package,`, '-C', resolve(folder, '..'), name]
  const child = spawn('tar', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const parts: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => parts.push(part))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`tar ended with ${code} for ${name}`)
  return Buffer.concat(parts)
}
