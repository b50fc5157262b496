// What the browser test loads: the room, and its primitives as a browser's bundler resolves them.
export { toHex, fromHex, utf8 } from '#base'
export * from '#crypto'
export * as primitives from '#crypto/primitives'
