// A drill: who stands by, how many files, which location is blocked; then its progress and its report.
import type { Task } from '#contract'
import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox, TroubleText } from '../app/trouble-box.tsx'
import dialogs from '../files/dialogs.module.css'
import { client } from '../site/client.ts'
import { noteTask, useStatus, useTasks } from '../site/queries.ts'
import { troubleOfProblem } from '../site/trouble.ts'
import { TaskProgress } from '../tasks/task-progress.tsx'
import { useSpeech } from '../words/words.tsx'
import { DRILL, LastDrill } from './drill-section.tsx'
import { useDrillWords } from './words.ts'

const FILES_MAX = 100

export function DrillDialog({ close }: { readonly close: () => void }): ReactNode {
  const { words: all } = useSpeech()
  const words = useDrillWords()
  const queries = useQueryClient()
  const { data: status } = useStatus()
  const [one, setOne] = useState('')
  const [two, setTwo] = useState('')
  const [files, setFiles] = useState('10')
  const [location, setLocation] = useState('')
  const [tried, setTried] = useState(false)
  const count = Number(files)
  const wrong = !/^\d{1,3}$/.test(files.trim()) || count < 1 || count > FILES_MAX
  const people = [one.trim(), two.trim()] as const
  const unnamed = people.includes('') || people[0].toLowerCase() === people[1].toLowerCase()
  const begin = useMutation({
    mutationFn: () => client.drill({ people: [...people], files: count, ...(location === '' ? {} : { location }) }),
    onSuccess: (task) => noteTask(queries, task),
  })
  const task = useTasks().find(({ id }) => id === begin.data?.id) ?? begin.data
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (!wrong && !unnamed) begin.mutate()
  }
  return (
    <Dialog title={words.title} close={close} wide>
      {task === undefined ? (
        <form className={dialogs.form} onSubmit={submit} noValidate>
          <p className={dialogs.text}>{words.lead}</p>
          <TextInput
            label={words.one}
            value={one}
            maxLength={200}
            error={tried && one.trim() === '' ? words.twoPeople : undefined}
            onChange={(event) => setOne(event.currentTarget.value)}
            data-autofocus
          />
          <TextInput
            label={words.two}
            value={two}
            maxLength={200}
            error={tried && unnamed && one.trim() !== '' ? words.twoPeople : undefined}
            onChange={(event) => setTwo(event.currentTarget.value)}
          />
          <TextInput
            label={words.files}
            description={words.filesHint}
            inputMode="numeric"
            value={files}
            error={tried && wrong ? words.wrong : undefined}
            onChange={(event) => setFiles(event.currentTarget.value)}
          />
          <NativeSelect
            label={words.blocked}
            value={location}
            onChange={(event) => setLocation(event.currentTarget.value)}
            data={[{ value: '', label: words.each }, ...(status?.locations ?? []).map(({ id, label }) => ({ value: id, label }))]}
          />
          <TroubleBox error={begin.error} />
          <div className={dialogs.buttons}>
            <Button variant="default" onClick={close}>
              {all.app.cancel}
            </Button>
            <Button type="submit" loading={begin.isPending}>
              {words.begin}
            </Button>
          </div>
        </form>
      ) : (
        <Outcome task={task} close={close} />
      )}
    </Dialog>
  )
}

function Outcome({ task, close }: { readonly task: Task; readonly close: () => void }): ReactNode {
  const { words: all } = useSpeech()
  const words = useDrillWords()
  const queries = useQueryClient()
  const { state } = task
  const report = useQuery({
    queryKey: [...DRILL, task.id],
    queryFn: ({ signal }) => client.lastDrill({ signal }),
    enabled: state === 'done',
    retry: false,
  })
  useEffect(() => {
    if (state !== 'running') void queries.invalidateQueries({ queryKey: DRILL, exact: true })
  }, [state, queries])
  return (
    <div className={dialogs.form} data-testid="drill-outcome" data-state={state}>
      {state === 'running' ? (
        <>
          <TaskProgress task={task} />
          <p className={dialogs.text}>{words.background}</p>
        </>
      ) : (
        <p className={dialogs.text} role="status">
          <strong>{words.ends[state]}</strong>
        </p>
      )}
      {task.problem !== null && <TroubleText trouble={troubleOfProblem(task.problem, all)} />}
      <TroubleBox error={report.error} />
      {report.data !== undefined && <LastDrill answer={report.data} />}
      <div className={dialogs.buttons}>
        <Button onClick={close}>{all.app.close}</Button>
      </div>
    </div>
  )
}
