// What a vault must hold after operations of which the last ones may or may not have happened.
import { sha256 } from '#crypto/primitives'
import { toHex } from '#base'
import { pattern } from './site.ts'

export type Operation =
  | { readonly kind: 'put'; readonly path: string; readonly seed: number; readonly size: number }
  | { readonly kind: 'move' | 'copy'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }

/** Hashes of the versions of each file, the oldest first. */
export type Files = ReadonlyMap<string, readonly string[]>

export interface Chance {
  /** 0, 1, ..., bound - 1 */
  below(bound: number): number
}

/** The same numbers for the same seed. */
export function chance(seed: number): Chance {
  let state = (seed * 2_654_435_761) >>> 0 || 1
  return {
    below: (bound) => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      state >>>= 0
      return state % bound
    },
  }
}

export function content(operation: { readonly seed: number; readonly size: number }): Uint8Array {
  return pattern(operation.size, operation.seed + 1)
}

export function apply(files: Files, operation: Operation): Files {
  const after = new Map(files)
  if (operation.kind === 'put') {
    const hash = hashOf(content(operation))
    after.set(operation.path, [...(files.get(operation.path) ?? []), hash])
  } else if (operation.kind === 'remove') after.delete(operation.path)
  else {
    const versions = files.get(operation.from)
    if (versions === undefined || operation.from === operation.to) return files
    if (operation.kind === 'move') after.delete(operation.from)
    after.set(operation.to, operation.kind === 'move' ? versions : versions.slice(-1))
  }
  return after
}

/** Every state in which each of the uncertain operations has happened or not; they do not touch each other. */
export function outcomes(files: Files, uncertain: readonly Operation[]): Files[] {
  return uncertain.reduce((states, operation) => states.flatMap((state) => [state, apply(state, operation)]), [files])
}

export function hashOf(bytes: Uint8Array): string {
  return toHex(sha256(bytes))
}

export function describe(files: Files): string {
  return [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, versions]) => `${path}: ${versions.map((hash) => hash.slice(0, 8)).join(' ')}`)
    .join('\n')
}
