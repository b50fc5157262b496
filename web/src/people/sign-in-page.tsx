// The page in front of a site with people.
import type { Me } from '#contract'
import { useEffect, type ReactNode } from 'react'
import { Stage } from '../app/stage.tsx'
import { useWords } from '../words/words.tsx'
import { SignInForm } from './sign-in-form.tsx'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

export function SignInPage({ me, done }: { readonly me: Me; readonly done: () => void }): ReactNode {
  const words = useWords()
  const { enter } = usePeopleWords()
  useEffect(() => {
    document.title = `${enter.title} · ${words.app.name}`
  }, [enter, words])
  return (
    <Stage>
      <h1>{enter.title}</h1>
      <div className={styles.form}>
        <SignInForm me={me} done={done} />
        <p className={styles.small}>{enter.lost}</p>
      </div>
    </Stage>
  )
}
