// Headers that let a browser keep a stored file without ever running it.

/** Types that a browser may show in place. Everything else is saved, never opened. */
const SHOWN = /^(?:image\/(?:png|jpeg|gif|webp|avif|bmp)|text\/plain|audio\/[\w.+-]+|video\/[\w.+-]+)(?:;|$)/
const TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(?:; ?charset=[a-z0-9_-]{1,40})?$/i

/** A stored page must not act in our name, whatever its type says: no script, no origin, no guessing. */
export const CONTENT_SECURITY = {
  'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const

/** The stored type when it is one, else the type of plain bytes. */
export function contentType(stored: string): string {
  return TYPE.test(stored) ? stored : 'application/octet-stream'
}

/** RFC 6266 with an ASCII stand-in and the true name in UTF-8 (RFC 8187). */
export function contentDisposition(request: { readonly name: string; readonly type: string; readonly inline: boolean }): string {
  const name = request.name.toWellFormed()
  const plain = name.replace(/[^\x20-\x7e]|["\\%/;]/gu, '_')
  const exact = encodeURIComponent(name).replace(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
  const kind = request.inline && SHOWN.test(request.type.toLowerCase()) ? 'inline' : 'attachment'
  return `${kind}; filename="${plain}"; filename*=UTF-8''${exact}`
}
