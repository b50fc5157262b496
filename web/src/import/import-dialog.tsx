// Files of a folder or bucket into a folder of the vault: choose, look, import, see how it went.
import type { ImportPreview, Task } from '#contract'
import { Button, Checkbox } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox, TroubleText } from '../app/trouble-box.tsx'
import dialogs from '../files/dialogs.module.css'
import { nameOf } from '../files/paths.ts'
import { PlaceFields } from '../setup/place-fields.tsx'
import { draftTroubles, emptyDraft, isFine, specOf } from '../setup/place-form.ts'
import { client } from '../site/client.ts'
import { keys, noteTask, useTasks } from '../site/queries.ts'
import { troubleOfProblem } from '../site/trouble.ts'
import { ReportView } from '../tasks/report-view.tsx'
import { TaskProgress } from '../tasks/task-progress.tsx'
import { useSpeech } from '../words/words.tsx'
import styles from './import.module.css'
import { useImportWords } from './words.ts'

const SOURCES = ['folder', 's3'] as const

export function ImportDialog({ path, close }: { readonly path: string; readonly close: () => void }): ReactNode {
  const { words: all } = useSpeech()
  const words = useImportWords()
  const queries = useQueryClient()
  const [draft, setDraft] = useState(emptyDraft)
  const [check, setCheck] = useState(false)
  const [tried, setTried] = useState(false)
  const trouble = draftTroubles([draft], all)[0]!
  const source = specOf(draft)
  const look = useMutation({ mutationFn: (spec: string) => client.previewImport({ source: spec, path }) })
  const begin = useMutation({
    mutationFn: () => client.importFiles({ source, path, check }),
    onSuccess: (task) => noteTask(queries, task),
  })
  const task = useTasks().find(({ id }) => id === begin.data?.id) ?? begin.data
  // Another source is to be looked at anew.
  const seen = look.variables === source ? look.data : undefined
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (!isFine(trouble)) return
    if (seen === undefined) look.mutate(source)
    else begin.mutate()
  }
  const leave = (): void => {
    void queries.invalidateQueries({ queryKey: keys.lists })
    close()
  }
  const folder = path === '/' ? all.files.root : nameOf(path)
  return (
    <Dialog title={words.title(folder)} close={leave} wide>
      {task === undefined ? (
        <form className={dialogs.form} onSubmit={submit} noValidate>
          <p className={dialogs.text}>{words.text}</p>
          <PlaceFields kinds={SOURCES} draft={draft} trouble={tried ? trouble : {}} change={setDraft} />
          <Checkbox label={words.check} checked={check} onChange={(event) => setCheck(event.currentTarget.checked)} />
          <div role="status">{look.isPending ? words.looking : seen !== undefined && <Seen preview={seen} />}</div>
          <TroubleBox error={begin.error ?? (look.variables === source ? look.error : null)} />
          <div className={dialogs.buttons}>
            <Button variant="default" onClick={leave}>
              {all.app.cancel}
            </Button>
            {seen === undefined ? (
              <Button type="submit" loading={look.isPending}>
                {words.look}
              </Button>
            ) : (
              <Button type="submit" loading={begin.isPending} disabled={seen.files === 0}>
                {words.begin}
              </Button>
            )}
          </div>
        </form>
      ) : (
        <Outcome task={task} close={leave} />
      )}
    </Dialog>
  )
}

function Seen({ preview }: { readonly preview: ImportPreview }): ReactNode {
  const { measures } = useSpeech()
  const words = useImportWords()
  const { files, bytes, skipped, moreSkipped, complete } = preview
  const found = words.found(measures.number(files), measures.bytes(bytes))
  return (
    <section className={styles.seen} data-testid="import-preview">
      <strong>{files === 0 ? words.nothing : complete ? found : words.atLeast(found)}</strong>
      {skipped.length > 0 && (
        <>
          <span>{words.skipped}:</span>
          <ul className={styles.skipped}>
            {skipped.map(({ name, why }) => (
              <li key={name}>
                {name} <span lang="en">({why})</span>
              </li>
            ))}
            {moreSkipped > 0 && <li>{words.more(measures.number(moreSkipped))}</li>}
          </ul>
        </>
      )}
    </section>
  )
}

function Outcome({ task, close }: { readonly task: Task; readonly close: () => void }): ReactNode {
  const { words: all, measures } = useSpeech()
  const words = useImportWords()
  const { report } = task
  return (
    <div className={dialogs.form} data-testid="import-outcome" data-state={task.state}>
      {task.state === 'running' ? (
        <>
          <TaskProgress task={task} />
          <p className={dialogs.text}>{words.background}</p>
        </>
      ) : (
        <p className={dialogs.text} role="status">
          <strong>{words.ends[task.state]}</strong>{' '}
          {report !== null &&
            words.stored(
              measures.number(report.repairedFragments),
              measures.number(report.checkedFragments - report.repairedFragments),
              measures.bytes(report.checkedBytes),
            )}
        </p>
      )}
      {task.problem !== null && <TroubleText trouble={troubleOfProblem(task.problem, all)} />}
      {report !== null && report.findings.length > 0 && <ReportView report={report} open />}
      <div className={dialogs.buttons}>
        <Button onClick={close}>{all.app.close}</Button>
      </div>
    </div>
  )
}
