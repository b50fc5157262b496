// A running task: bar, numbers, remaining time, and a way to stop it.
import type { Task } from '#contract'
import { ActionIcon, Progress } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { client } from '../site/client.ts'
import { noteTask } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import type { Words } from '../words/en.ts'
import type { Measures } from '../measures/measures.ts'
import styles from './tasks.module.css'

export function TaskProgress({ task }: { readonly task: Task }): ReactNode {
  const { words, measures } = useSpeech()
  const queries = useQueryClient()
  const cancel = useMutation({ mutationFn: () => client.cancelTask(task.id), onSuccess: (next) => noteTask(queries, next) })
  const name = words.tasks.kinds[task.kind]
  const percent = task.total > 0 ? Math.min(100, (task.done / task.total) * 100) : 0
  return (
    <div className={styles.running}>
      <div className={styles.line}>
        <span>
          {name}: {amounts(task, words, measures)}
        </span>
        <span className={styles.left}>{task.remainingSeconds !== null && words.tasks.left(measures.duration(task.remainingSeconds))}</span>
        <ActionIcon
          variant="subtle"
          color="gray"
          c="var(--ink)"
          size="sm"
          onClick={() => cancel.mutate()}
          loading={cancel.isPending}
          aria-label={words.tasks.cancel(name)}
          title={words.tasks.cancel(name)}
        >
          <IconX size={16} aria-hidden />
        </ActionIcon>
      </div>
      <Progress value={percent} aria-label={name} size="sm" animated={false} />
    </div>
  )
}

function amounts(task: Task, words: Words, measures: Measures): string {
  if (task.unit === 'bytes') return words.tasks.of(measures.bytes(task.done), measures.bytes(task.total))
  return words.tasks.units[task.unit](words.tasks.of(measures.number(task.done), measures.number(task.total)))
}
