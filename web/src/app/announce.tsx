// Says changes aloud to screen readers: one polite region for the whole page.
import { VisuallyHidden } from '@mantine/core'
import { useSyncExternalStore, type ReactNode } from 'react'

let said = ''
const listeners = new Set<() => void>()

export function announce(sentence: string): void {
  said = sentence
  for (const listener of listeners) listener()
}

export function Announcer(): ReactNode {
  const sentence = useSyncExternalStore(subscribe, () => said)
  return (
    <VisuallyHidden role="status" aria-live="polite" data-testid="announcer">
      {sentence}
    </VisuallyHidden>
  )
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
