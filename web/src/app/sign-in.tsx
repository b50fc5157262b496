// Without a session: how to come in.
import type { ReactNode } from 'react'
import { useWords } from '../words/words.tsx'
import { Stage } from './stage.tsx'
import styles from './sign-in.module.css'

export function SignIn({ spent }: { readonly spent: boolean }): ReactNode {
  const { signIn } = useWords()
  return (
    <Stage>
      {spent && (
        <div className={styles.spent} role="alert">
          <strong>{signIn.spent}</strong> {signIn.spentNext}
        </div>
      )}
      <h1>{signIn.title}</h1>
      <p>{signIn.text}</p>
      <ol className={styles.steps}>
        <li>
          {signIn.step1} <code>npm start</code>
        </li>
        <li>
          {signIn.step2} <code>{`${location.origin}/#open=…`}</code>
        </li>
        <li>{signIn.step3}</li>
      </ol>
      <div className={styles.terminal} aria-hidden>
        <span className={styles.prompt}>$</span> npm start
        <br />
        <span className={styles.link}>{`${location.origin}/#open=k3vT…`}</span>
      </div>
    </Stage>
  )
}
