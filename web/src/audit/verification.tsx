// The button that proves the log, its progress, and what came out: green, or red with the first wrong entry.
import { Button, Progress } from '@mantine/core'
import { IconShieldCheck } from '@tabler/icons-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { useSpeech } from '../words/words.tsx'
import styles from './audit.module.css'
import type { Outcome } from './verifying.ts'
import { useAuditWords } from './words.ts'

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly done: number; readonly of: number }
  | { readonly kind: 'over'; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly error: unknown }

export function Verification({ done }: { readonly done: (wrong: boolean) => void }): ReactNode {
  const words = useAuditWords()
  const { measures } = useSpeech()
  const [state, setState] = useState<State>({ kind: 'idle' })
  const running = useRef<AbortController>(undefined)
  useEffect(() => () => running.current?.abort(), [])

  const begin = async (trust = false): Promise<void> => {
    const stop = new AbortController()
    running.current = stop
    setState({ kind: 'running', done: 0, of: 0 })
    let wrong = false
    try {
      // The hashing and the signatures are loaded by those who verify.
      const { forgetSeen, verifyHere } = await import('./verifying.ts')
      if (trust) forgetSeen()
      const outcome = await verifyHere({
        signal: stop.signal,
        progress: (count, of) => {
          if (!stop.signal.aborted) setState({ kind: 'running', done: count, of })
        },
      })
      wrong = outcome.kind === 'wrong'
      if (!stop.signal.aborted) setState({ kind: 'over', outcome })
    } catch (error) {
      if (!stop.signal.aborted) setState({ kind: 'failed', error })
    }
    if (!stop.signal.aborted) done(wrong)
  }
  const end = (): void => {
    running.current?.abort()
    setState({ kind: 'idle' })
  }
  return (
    <div className={styles.verification}>
      <div className={styles.buttons}>
        <Button
          leftSection={<IconShieldCheck size={18} aria-hidden />}
          onClick={() => void begin()}
          loading={state.kind === 'running'}
          data-testid="verify-log"
        >
          {state.kind === 'idle' || state.kind === 'running' ? words.verify : words.again}
        </Button>
        {state.kind === 'running' && (
          <Button variant="default" onClick={end}>
            {words.stop}
          </Button>
        )}
      </div>
      {state.kind === 'running' && (
        <>
          <Progress value={state.of === 0 ? 0 : (state.done / state.of) * 100} aria-label={words.verify} animated={false} />
          <p className={styles.soft}>{words.verifying(measures.number(state.done), measures.number(state.of))}</p>
        </>
      )}
      <div role="status">{state.kind === 'over' && <Verdict outcome={state.outcome} trust={() => void begin(true)} />}</div>
      {state.kind === 'failed' && <TroubleBox error={state.error} retry={() => void begin()} />}
    </div>
  )
}

function Verdict({ outcome, trust }: { readonly outcome: Outcome; readonly trust: () => void }): ReactNode {
  const words = useAuditWords()
  const { measures } = useSpeech()
  if (outcome.kind === 'good')
    return (
      <div className={styles.verdict} data-tone="good" data-testid="verdict-good">
        <ToneIcon tone="good" size={22} />
        <div>
          <strong>{words.verified(measures.number(outcome.size))}</strong>
          <p>{words.verifiedText}</p>
          <p>
            {outcome.seen === undefined ? words.first : words.sinceSeen(measures.number(outcome.seen.size), measures.date(outcome.seen.at))}
          </p>
        </div>
      </div>
    )
  if (outcome.kind === 'other')
    return (
      <div className={styles.verdict} data-tone="bad" data-testid="verdict-other">
        <ToneIcon tone="bad" size={22} />
        <div>
          <strong>{words.wrongOtherLog(measures.date(outcome.seen.at))}</strong>
          <div className={styles.buttons}>
            <Button variant="default" onClick={trust}>
              {words.forgetAndTrust}
            </Button>
          </div>
        </div>
      </div>
    )
  const { first, last, what, detail } = outcome.problem
  return (
    <div className={styles.verdict} data-tone="bad" data-testid="verdict-wrong" data-first={first} data-last={last}>
      <ToneIcon tone="bad" size={22} />
      <div>
        <strong>
          {words.wrong}:{' '}
          {first === last ? words.wrongOne(measures.number(first)) : words.wrongMany(measures.number(first), measures.number(last))}
        </strong>
        <p>{words.wrongWhat[what] ?? what}</p>
        <p lang="en" className={styles.soft}>
          {detail}
        </p>
      </div>
    </div>
  )
}
