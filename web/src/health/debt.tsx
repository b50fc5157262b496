// What is to be written again, how urgent it is, and what waits for a person.
import type { HealthView } from '#contract'
import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { TaskProgress } from '../tasks/task-progress.tsx'
import { useRepair } from '../tasks/use-repair.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './health.module.css'
import { useHealthWords } from './words.ts'

export function Debt({ debt }: { readonly debt: HealthView['debt'] }): ReactNode {
  const { measures } = useSpeech()
  const words = useHealthWords()
  const repair = useRepair()
  return (
    <section className={styles.block} aria-labelledby="health-debt" data-testid="debt">
      <div className={styles.row}>
        <h2 id="health-debt">{words.debt}</h2>
        {debt.fragments > 0 && repair.running === undefined && (
          <Button size="compact-sm" onClick={repair.start} loading={repair.starting}>
            {words.repair}
          </Button>
        )}
      </div>
      {repair.running !== undefined && <TaskProgress task={repair.running} />}
      <TroubleBox error={repair.error} retry={repair.start} />
      {debt.fragments === 0 ? (
        <p className={styles.line}>
          <ToneIcon tone="good" /> {words.noDebt}
        </p>
      ) : (
        <>
          <p className={styles.line}>
            <ToneIcon tone={debt.urgent > 0 ? 'bad' : 'warn'} /> {words.due(debt.fragments, measures.bytes(debt.bytes))}{' '}
            {debt.oldest !== null && words.since(measures.date(debt.oldest))}
          </p>
          {debt.urgent > 0 && (
            <p className={styles.line}>
              <ToneIcon tone="bad" /> <strong>{words.urgent(debt.urgent)}</strong>
            </p>
          )}
        </>
      )}
      {debt.heldBack.map((label) => (
        <div key={label} className={styles.alarm} role="alert">
          <ToneIcon tone="liar" size={20} />
          <span>
            <strong>{words.held(label)}</strong> {words.heldNext}
          </span>
        </div>
      ))}
    </section>
  )
}
