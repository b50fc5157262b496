// Short notices in the corner, said aloud as well.
import { notifications } from '@mantine/notifications'
import { troubleOf } from '../site/trouble.ts'
import type { Words } from '../words/en.ts'
import { announce } from './announce.tsx'
import { TroubleText } from './trouble-box.tsx'

export function noteDone(sentence: string): void {
  announce(sentence)
  notifications.show({ message: sentence, color: 'pine', withBorder: true })
}

/** For `.catch`: says what went wrong, in these words. */
export function noteTroubleIn(words: Words): (error: unknown) => void {
  return (error) => noteTrouble(error, words)
}

function noteTrouble(error: unknown, words: Words): void {
  const trouble = troubleOf(error, words)
  announce([trouble.title, trouble.next].filter(Boolean).join('. '))
  notifications.show({
    message: (
      <span style={{ display: 'grid' }}>
        <TroubleText trouble={trouble} />
      </span>
    ),
    color: 'red',
    withBorder: true,
    autoClose: 12_000,
  })
}
