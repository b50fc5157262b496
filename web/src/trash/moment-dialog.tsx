// A folder as it was at a moment: choose the moment, see what would change, then do it.
import type { MomentPlan } from '#contract'
import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useDeferredValue, useState, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { noteDone } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import dialogs from '../files/dialogs.module.css'
import { nameOf } from '../files/paths.ts'
import { client } from '../site/client.ts'
import { keys, noteTask } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './trash-page.module.css'

const SHOWN = 100

export function MomentDialog({
  path,
  close,
  done,
}: {
  readonly path: string
  readonly close: () => void
  readonly done: () => void
}): ReactNode {
  const { words } = useSpeech()
  const queries = useQueryClient()
  const [typed, setTyped] = useState(() => localTime(new Date(Date.now() - 3_600_000)))
  const ms = new Date(useDeferredValue(typed)).getTime()
  const at = Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
  const plan = useQuery({
    queryKey: ['moment', path, at],
    queryFn: ({ signal }) => client.planMoment({ path, at: at! }, { signal }),
    enabled: at !== undefined,
    staleTime: 0,
    retry: false,
  })
  const restore = useMutation({
    mutationFn: (moment: string) => client.restoreMoment({ path, at: moment }),
    onSuccess: (task) => {
      noteTask(queries, task)
      noteDone(words.trash.momentBegun)
      void queries.invalidateQueries({ queryKey: keys.lists })
      done()
    },
  })
  const changes = plan.data === undefined ? 0 : plan.data.counts.returns + plan.data.counts.replaces + plan.data.counts.trashes
  return (
    <Dialog title={words.trash.momentTitle(path === '/' ? words.files.root : nameOf(path))} close={close} wide>
      <div className={dialogs.form}>
        <p className={dialogs.text}>{words.trash.momentText}</p>
        <TextInput
          type="datetime-local"
          data-autofocus
          label={words.trash.moment}
          value={typed}
          max={localTime(new Date())}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <div aria-live="polite">
          <TroubleBox error={plan.error} />
          {plan.data !== undefined && <Plan plan={plan.data} />}
        </div>
        <TroubleBox error={restore.error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close}>
            {words.app.cancel}
          </Button>
          <Button
            onClick={() => at !== undefined && restore.mutate(at)}
            loading={restore.isPending || plan.isFetching}
            disabled={at === undefined || plan.data === undefined || changes === 0}
          >
            {words.trash.restore}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

function Plan({ plan }: { readonly plan: MomentPlan }): ReactNode {
  const { words, measures } = useSpeech()
  const { counts } = plan
  const rows = [
    ...plan.returns.map((one) => ({ ...one, what: words.trash.comesBack })),
    ...plan.replaces.map((one) => ({ ...one, what: words.trash.asThen })),
    ...plan.trashes.map((one) => ({ ...one, what: words.trash.toTrash })),
    ...plan.doubtful.map((one) => ({ ...one, size: undefined, what: one.why === 'gone' ? words.trash.notKept : words.trash.olderOnly })),
  ]
  const all = counts.returns + counts.replaces + counts.trashes
  return (
    <>
      <p className={dialogs.text}>
        {all === 0 ? words.trash.noChange : words.trash.plan(counts.returns, counts.replaces, counts.trashes, counts.unchanged)}{' '}
        {words.trash.knownSince(measures.date(plan.knownSince))}
      </p>
      {rows.length > 0 && (
        <ul className={styles.changes} aria-label={words.trash.changes}>
          {rows.slice(0, SHOWN).map((row) => (
            <li key={`${row.what} ${row.path}`}>
              <span>{row.path}</span>
              <small>
                {row.what}
                {row.size !== undefined && ` · ${measures.bytes(row.size)}`}
              </small>
            </li>
          ))}
          {all + counts.doubtful > SHOWN && <li>…</li>}
        </ul>
      )}
    </>
  )
}

/** As a field of date and time wants it, in the person's own time. */
function localTime(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`
}
