// The primitives with randomness that a seed decides, for simulations that are to run the same way twice. Never for anything else.
import { createCipheriv, createHash } from 'node:crypto'

export * from '../../src/crypto/primitives-node.ts'

let stream = createCipheriv('aes-256-ctr', Buffer.alloc(32), Buffer.alloc(16))

export function seedRandomness(seed: number): void {
  stream = createCipheriv('aes-256-ctr', createHash('sha256').update(`${seed}`).digest(), Buffer.alloc(16))
}

export function randomFill(view: Uint8Array): void {
  view.set(stream.update(new Uint8Array(view.length)))
}

export function random(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  randomFill(bytes)
  return bytes
}
