// The one queue of the page, and the way files get into it.
import { isFailure } from '#base'
import { useSyncExternalStore } from 'react'
import { joinPath } from '../files/paths.ts'
import { client } from '../site/client.ts'
import { currentReach, onReach, SiteStopped } from '../site/reach.ts'
import { createUploadQueue, type QueueView } from './queue.ts'
import { sendFile } from './send.ts'
import type { Found } from './walk.ts'

const BATCH = 200

export const uploads = createUploadQueue({
  send: sendFile,
  isStopped: (error) => error instanceof SiteStopped,
  now: () => performance.now(),
})

onReach(() => {
  if (currentReach() === 'answers') uploads.resume()
})

const subscribe = (listener: () => void): (() => void) => uploads.subscribe(listener)
const look = (): QueueView => uploads.view()

export function useUploads(): QueueView {
  return useSyncExternalStore(subscribe, look)
}

export interface Intake {
  /** Files found so far while folders are being read; null when none is. */
  readonly reading: number | null
  readonly unreadable: readonly string[]
  readonly refused: number
}

let intake: Intake = { reading: null, unreadable: [], refused: 0 }
const listeners = new Set<() => void>()

export function useIntake(): Intake {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => intake,
  )
}

export function forgetIntake(): void {
  noteIntake({ unreadable: [], refused: 0 })
}

/** Queues everything found under `folder`. Folders are made first, so that empty ones arrive too. */
export async function takeIn(folder: string, found: AsyncGenerator<Found>): Promise<void> {
  let batch: { file: File; path: string }[] = []
  const flush = (): void => {
    const refused = uploads.add(batch)
    noteIntake({ reading: (intake.reading ?? 0) + batch.length, refused: intake.refused + refused })
    batch = []
  }
  noteIntake({ reading: 0 })
  try {
    for await (const one of found) {
      const path = joinPath(folder, one.path)
      if (one.kind === 'unreadable') noteIntake({ unreadable: [...intake.unreadable, one.path].slice(0, 20) })
      else if (one.kind === 'folder') await makeFolder(path)
      else {
        batch.push({ file: one.file, path })
        if (batch.length >= BATCH) flush()
      }
    }
  } finally {
    flush()
    noteIntake({ reading: null })
  }
}

/** A folder that cannot be made is no reason to stop: each of its files will say why. */
async function makeFolder(path: string): Promise<void> {
  try {
    await client.createFolder({ path })
  } catch (error) {
    if (isFailure(error, 'storage.exists')) return
    noteIntake({ unreadable: [...intake.unreadable, path].slice(0, 20) })
  }
}

function noteIntake(next: Partial<Intake>): void {
  intake = { ...intake, ...next }
  for (const listener of listeners) listener()
}
