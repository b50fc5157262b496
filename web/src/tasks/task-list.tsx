// Work that runs or ran, with its report.
import type { Task } from '#contract'
import { useEffect, useRef, type ReactNode } from 'react'
import { announce } from '../app/announce.tsx'
import { TroubleText } from '../app/trouble-box.tsx'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import type { Tone } from '../pictures/tone.ts'
import { troubleOfProblem } from '../site/trouble.ts'
import { useSpeech } from '../words/words.tsx'
import { ReportView } from './report-view.tsx'
import { TaskProgress } from './task-progress.tsx'
import styles from './task-list.module.css'

const SHOWN = 6
const TONES = { running: 'idle', done: 'good', failed: 'bad', cancelled: 'idle' } as const satisfies Record<Task['state'], Tone>

export function TaskList({ tasks }: { readonly tasks: readonly Task[] }): ReactNode {
  const { words, measures } = useSpeech()
  const listed = tasks.filter((task) => task.kind !== 'upload').slice(0, SHOWN)
  useSayEnds(listed)
  return (
    <section className={styles.block} aria-labelledby="tasks" data-testid="tasks">
      <h2 id="tasks">{words.tasks.recent}</h2>
      {listed.length === 0 && <p className={styles.none}>{words.tasks.none}</p>}
      <ul className={styles.tasks}>
        {listed.map((task, index) => (
          <li key={task.id} data-state={task.state} data-kind={task.kind}>
            {task.state === 'running' ? (
              <TaskProgress task={task} />
            ) : (
              <>
                <span className={styles.line}>
                  <ToneIcon tone={TONES[task.state]} />
                  <strong>{words.tasks.kinds[task.kind]}</strong> {words.tasks.states[task.state]}
                  <time className={styles.when} dateTime={task.started}>
                    {measures.when(task.started)}
                  </time>
                </span>
                {task.problem !== null && (
                  <span className={styles.problem}>
                    <TroubleText trouble={troubleOfProblem(task.problem, words)} />
                  </span>
                )}
                {task.report !== null && <ReportView report={task.report} open={index === 0} />}
              </>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function useSayEnds(tasks: readonly Task[]): void {
  const { words } = useSpeech()
  const running = useRef(new Set<string>())
  useEffect(() => {
    for (const task of tasks) {
      if (task.state === 'running') running.current.add(task.id)
      else if (running.current.delete(task.id)) announce(words.tasks.finished(words.tasks.kinds[task.kind], words.tasks.states[task.state]))
    }
  }, [tasks, words])
}
