// The format vectors of an independent writer, as test input.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex } from '#base'
import type { VerifyingKeys } from '#crypto/primitives'
import type { FragmentFile } from '#format'

export const FOLDER = join(import.meta.dirname, '..', 'data', 'fragment')

export interface Expected {
  readonly k: number
  readonly n: number
  readonly size: number
  readonly sha256: string
  readonly metaJson: string
  readonly data: string
  readonly dealerKeys: { readonly mldsa65: string; readonly ed25519: string }
  readonly debug: {
    readonly K: string
    readonly F?: string
    readonly contentId: string
    readonly Kt: string
    readonly Km: string
    readonly tag0?: string
    readonly gcmTag0?: string
    readonly fragments: readonly {
      readonly file: string
      readonly x: number
      readonly Kx: string
      readonly ftag0: string
      readonly commitment: string
    }[]
  }
}

export function goodFolders(): string[] {
  return readdirSync(FOLDER).filter((name) => /^s[12]-/.test(name))
}

export function expected(folder: string): Expected {
  return JSON.parse(readFileSync(join(FOLDER, folder, 'expect.json'), 'utf8')) as Expected
}

export function dealerKeys(keys: Expected['dealerKeys']): VerifyingKeys {
  return { mldsa65: fromHex(keys.mldsa65), ed25519: fromHex(keys.ed25519) }
}

export function bytesOf(folder: string, file: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(FOLDER, folder, file)))
}

export function memoryFile(location: string, file: string, bytes: Uint8Array): FragmentFile {
  return {
    location,
    file,
    sizeBytes: bytes.length,
    read: async (offset, into) => {
      if (offset + into.length > bytes.length) throw new Error('read past the end')
      into.set(bytes.subarray(offset, offset + into.length))
    },
  }
}

export function vectorFile(folder: string, file: string, location = file): FragmentFile {
  return memoryFile(location, file, bytesOf(folder, file))
}
