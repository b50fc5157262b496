// What went wrong while signing in, in the person's words.
import type { ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { PasskeyNotUsed } from './passkey.ts'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

export function SignInTrouble({ error }: { readonly error: unknown }): ReactNode {
  const { enter } = usePeopleWords()
  if (!(error instanceof PasskeyNotUsed)) return <TroubleBox error={error} />
  return (
    <p className={styles.note} role="alert">
      {enter.cancelled}
    </p>
  )
}
