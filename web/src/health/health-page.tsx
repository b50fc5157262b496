// How well the vault is kept: what is to be repaired, how it was, what is checked when, what the locations do.
import { Button, Skeleton } from '@mantine/core'
import { IconScale } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, type ReactNode } from 'react'
import { hrefOf } from '../app/route.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { DrillSection } from '../drill/drill-section.tsx'
import { client } from '../site/client.ts'
import { useTasks } from '../site/queries.ts'
import { TaskList } from '../tasks/task-list.tsx'
import { useWords } from '../words/words.tsx'
import { Debt } from './debt.tsx'
import styles from './health.module.css'
import { History } from './history.tsx'
import { Measured } from './measured.tsx'
import { Schedule } from './schedule.tsx'
import { useHealthWords } from './words.ts'

const REFRESH_MS = 10_000

export function HealthPage(): ReactNode {
  const { app } = useWords()
  const words = useHealthWords()
  const tasks = useTasks()
  const health = useQuery({ queryKey: ['health'], queryFn: ({ signal }) => client.health({ signal }), refetchInterval: REFRESH_MS })
  useEffect(() => {
    document.title = `${words.title} · ${app.name}`
  }, [words, app])
  return (
    <div className={styles.page}>
      <div className={styles.row}>
        <h1>{words.title}</h1>
        <Button component="a" href={hrefOf({ page: 'planner' })} variant="default" leftSection={<IconScale size={18} aria-hidden />}>
          {words.planner}
        </Button>
      </div>
      <TroubleBox error={health.error} retry={() => void health.refetch()} />
      {health.isPending && <Skeleton height={420} radius="lg" />}
      {health.data !== undefined && <Debt debt={health.data.debt} />}
      <History />
      {health.data !== undefined && (
        <>
          <Schedule view={health.data} />
          <Measured locations={health.data.locations} />
        </>
      )}
      <DrillSection />
      <TaskList tasks={tasks} />
    </div>
  )
}
