// What the vault is to become, with what it takes and how safe it is before, meanwhile and after, while it is being chosen.
import type { ChangePreview, ChangeRequest, Layout, LocationStatus, VaultSummary } from '#contract'
import { Button, Checkbox, SegmentedControl } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox } from '../app/trouble-box.tsx'
import form from '../files/dialogs.module.css'
import { shownMoney } from '../measures/money.ts'
import { client } from '../site/client.ts'
import { keys } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './change.module.css'
import { CHANGE } from './use-change.ts'

interface ChangeDialogProps {
  readonly vault: VaultSummary
  readonly locations: readonly LocationStatus[]
  /** What the fields begin with, for a change that was chosen elsewhere. */
  readonly wanted?: { readonly threshold: number; readonly layout: Layout; readonly leave: readonly string[] } | undefined
  /** The change is under way. */
  readonly begun?: (() => void) | undefined
  readonly close: () => void
}

type Refresh = 'no' | 'shares' | 'keys'

export function ChangeDialog({ vault, locations, wanted, begun, close }: ChangeDialogProps): ReactNode {
  const { words } = useSpeech()
  const queries = useQueryClient()
  const [threshold, setThreshold] = useState(wanted?.threshold ?? vault.threshold)
  const [layout, setLayout] = useState<Layout>(wanted?.layout ?? vault.layout)
  const [refresh, setRefresh] = useState<Refresh>('no')
  const [leave, setLeave] = useState<readonly string[]>(wanted?.leave ?? [])
  const request: ChangeRequest = {
    ...(threshold === vault.threshold ? {} : { threshold }),
    ...(layout === vault.layout ? {} : { layout }),
    ...(refresh === 'no' ? {} : { refresh }),
    ...(leave.length === 0 ? {} : { leave: leave.map((location) => ({ location })) }),
  }
  const preview = useQuery({
    queryKey: [...CHANGE, 'preview', request],
    queryFn: ({ signal }) => client.previewChange(request, { signal }),
    retry: false,
  })
  const begin = useMutation({
    mutationFn: () => client.requestChange(request),
    onSuccess: (status) => {
      queries.setQueryData(CHANGE, status)
      void queries.invalidateQueries({ queryKey: keys.status })
      void queries.invalidateQueries({ queryKey: keys.tasks })
      close()
      begun?.()
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    begin.mutate()
  }
  const most = Math.max(2, locations.length - leave.length)
  const thresholds = Array.from({ length: most - 1 }, (_, index) => `${index + 2}`)
  if (!thresholds.includes(`${threshold}`)) thresholds.push(`${threshold}`)
  return (
    <Dialog title={words.change.title} close={close} wide>
      <form className={form.form} onSubmit={submit}>
        <p className={form.text}>{words.change.text}</p>
        <fieldset className={styles.field}>
          <legend>{words.change.leave}</legend>
          {locations.map(({ id, label }) => (
            <Checkbox
              key={id}
              label={label}
              checked={leave.includes(id)}
              onChange={({ currentTarget: { checked } }) => setLeave(checked ? [...leave, id] : leave.filter((one) => one !== id))}
            />
          ))}
        </fieldset>
        <fieldset className={styles.field}>
          <legend>{words.change.threshold}</legend>
          <SegmentedControl
            data={thresholds}
            value={`${threshold}`}
            onChange={(value) => setThreshold(Number(value))}
            aria-label={words.change.threshold}
          />
        </fieldset>
        <fieldset className={styles.field}>
          <legend>{words.change.layout}</legend>
          <SegmentedControl
            data={[
              { value: 'shared', label: words.layouts.shared },
              { value: 'sealed', label: words.layouts.sealed },
            ]}
            value={layout}
            onChange={(value) => setLayout(value === 'sealed' ? 'sealed' : 'shared')}
            aria-label={words.change.layout}
          />
        </fieldset>
        <fieldset className={styles.field}>
          <legend>{words.change.refresh}</legend>
          <SegmentedControl
            data={(['no', 'shares', 'keys'] as const).map((value) => ({ value, label: words.change.refreshes[value] }))}
            value={refresh}
            onChange={(value) => setRefresh(value === 'shares' || value === 'keys' ? value : 'no')}
            aria-label={words.change.refresh}
          />
          <p className={styles.hint}>{words.change.refreshText[refresh]}</p>
        </fieldset>
        <div aria-live="polite">{preview.data !== undefined && !preview.isError && <Preview preview={preview.data} />}</div>
        <TroubleBox error={begin.error ?? preview.error} />
        <div className={form.buttons}>
          <Button variant="default" onClick={close}>
            {words.app.cancel}
          </Button>
          <Button type="submit" loading={begin.isPending} disabled={preview.isError || preview.data === undefined}>
            {words.change.begin}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function Preview({ preview }: { readonly preview: ChangePreview }): ReactNode {
  const { words, measures } = useSpeech()
  const { before, after, spareMeanwhile, objects, bytes, seconds, monthly, warnings } = preview
  const money = (sum: ChangePreview['monthly']['before']): string =>
    sum === null ? words.change.unpriced : shownMoney(measures, sum.amount, sum.currency)
  const shape = ({ threshold, count, layout, spare }: ChangePreview['before']): string =>
    words.change.shape(threshold, count, words.layouts[layout], spare)
  return (
    <section className={styles.preview} aria-label={words.change.preview} data-testid="change-preview">
      <dl>
        <dt>{words.change.before}</dt>
        <dd>{shape(before)}</dd>
        <dt>{words.change.meanwhile}</dt>
        <dd>{words.change.spare(spareMeanwhile)}</dd>
        <dt>{words.change.after}</dt>
        <dd>{shape(after)}</dd>
        <dt>{words.change.work}</dt>
        <dd>
          {words.change.objects(objects)}, {measures.bytes(bytes)}
          {seconds !== null && seconds > 0 && `, ${words.change.about(measures.duration(seconds))}`}
        </dd>
        {(monthly.before !== null || monthly.after !== null) && (
          <>
            <dt>{words.change.monthly}</dt>
            <dd>{words.change.costs(money(monthly.before), money(monthly.after))}</dd>
          </>
        )}
      </dl>
      {warnings.length > 0 && (
        <ul className={styles.list}>
          {warnings.map((warning) => (
            <li key={warning}>{words.change.warnings[warning]}</li>
          ))}
        </ul>
      )}
    </section>
  )
}
