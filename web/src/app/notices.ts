// Short notices: what was done goes by itself, what went wrong stays until it is closed.
import { useSyncExternalStore } from 'react'
import { troubleOf, type Trouble } from '../site/trouble.ts'
import type { Words } from '../words/en.ts'
import { announce } from './announce.tsx'

const SHOWN_MAX = 3
const DONE_MS = 6000

export type Notice = { readonly id: number } & (
  | { readonly kind: 'done'; readonly sentence: string }
  | { readonly kind: 'trouble'; readonly trouble: Trouble }
)

let ids = 0
let notices: readonly Notice[] = []
const listeners = new Set<() => void>()

export function noteDone(sentence: string): void {
  announce(sentence)
  const id = ++ids
  change([...notices, { id, kind: 'done', sentence }])
  setTimeout(() => closeNotice(id), DONE_MS)
}

/** For `.catch`: says what went wrong, in these words. */
export function noteTroubleIn(words: Words): (error: unknown) => void {
  return (error) => {
    const trouble = troubleOf(error, words)
    announce([trouble.title, trouble.next].filter((part) => part !== undefined).join('. '))
    change([...notices, { id: ++ids, kind: 'trouble', trouble }])
  }
}

export function closeNotice(id: number): void {
  change(notices.filter((notice) => notice.id !== id))
}

export function useNotices(): readonly Notice[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => notices,
  )
}

function change(next: readonly Notice[]): void {
  notices = next.slice(-SHOWN_MAX)
  for (const listener of listeners) listener()
}
