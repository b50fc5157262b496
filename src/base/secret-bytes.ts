// A secret that cannot be printed by accident.
import type { Bytes } from './bytes.ts'

/** Holds key bytes; JSON, String and inspect show only the length. */
export class SecretBytes {
  readonly #bytes: Bytes

  constructor(bytes: Uint8Array) {
    this.#bytes = new Uint8Array(bytes)
  }

  get length(): number {
    return this.#bytes.length
  }

  /** The bytes themselves, for a primitive. Do not keep the reference. */
  reveal(): Bytes {
    return this.#bytes
  }

  /** Overwrites the bytes. */
  wipe(): void {
    this.#bytes.fill(0)
  }

  toString(): string {
    return `SecretBytes(${this.length})`
  }

  toJSON(): string {
    return this.toString()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}
