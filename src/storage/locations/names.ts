// Which names a location may be asked for. Anything else never reaches a disk or a network.
import { Failure } from '#base'
import { bounds } from './bounds.ts'
import type { FragmentName } from './contract.ts'

const SEGMENT = /^[a-z0-9_-][a-z0-9._-]*$/

/** True for ASCII names of 1..200 characters in segments [a-z0-9._-]+ of which none begins with a dot. */
export function isFragmentName(name: string): boolean {
  return name.length > 0 && name.length <= bounds.nameLengthMax && name.split('/').every((segment) => SEGMENT.test(segment))
}

/** Refuses names a location must not be asked for with `location.name`. */
export function checkName(name: FragmentName, label: string): void {
  if (isFragmentName(name)) return
  throw new Failure('location.name', {
    detail: `A name of ${name.length} characters asked of ${label} is not one that locations keep.`,
    next: 'Names are lower-case letters, digits, ".", "_" and "-", in segments joined by "/", none beginning with a dot.',
    culprits: [label],
  })
}
