// Places for the recovery page's engine from folders of this machine.
import { readdirSync, statSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Place } from '../../recovery/page/place.ts'

/** Each folder is one place; files are read when they are asked for. */
export function placesOf(folders: readonly string[], labels: readonly string[] = folders): Place[] {
  return folders.map((folder, index) => ({
    label: labels[index]!,
    files: readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({
        name: relative(folder, path),
        sizeBytes: statSync(path).size,
        slice: (begin: number, end: number) => new Blob([readFileSync(path)]).slice(begin, end),
      })),
  }))
}

export function placeOfBytes(label: string, files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>): Place {
  return {
    label,
    files: Object.entries(files).map(([name, bytes]) => ({
      name,
      sizeBytes: bytes.length,
      slice: (begin, end) => new Blob([bytes]).slice(begin, end),
    })),
  }
}

export const patient = { signal: new AbortController().signal, progress: () => undefined }
