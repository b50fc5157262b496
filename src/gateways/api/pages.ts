// The built browser client, under a policy that lets nothing run but its own files.
import type { FastifyInstance } from 'fastify'

/** Neither scripts nor styles are ever inline: the page's own test runs under this and fails on a violation. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Serves the files of a folder that stand there now, each under its own address: there is no path to climb. */
export async function servePages(app: FastifyInstance, folder: string): Promise<void> {
  const { default: files } = await import('@fastify/static')
  await app.register(files, {
    root: folder,
    wildcard: false,
    preCompressed: true,
    index: ['index.html'],
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders: (reply, path) => {
      void reply.header('content-security-policy', PAGE_POLICY)
      void reply.header('cache-control', /[/\\]assets[/\\]/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}
