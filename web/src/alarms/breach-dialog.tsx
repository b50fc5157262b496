// One record: as it stands, everything that was ever written into it, and what comes next. Prints as a sheet, goes out as JSON.
import type { Breach, BreachChoice, BreachEntry, BreachEntryRequest, BreachField } from '#contract'
import { Button, NativeSelect, Skeleton, Textarea, TextInput } from '@mantine/core'
import { IconDownload, IconPrinter } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { noteDone } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { saveText } from '../drill/save-text.ts'
import { within } from '../health/typed-number.ts'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './alarms.module.css'
import { leftOf } from './breaches.tsx'
import { useAlarmWords, WRITABLE } from './words.ts'

/** What Art. 33 (3) asks for. */
const ASKED: readonly BreachField[] = ['nature', 'categories', 'persons', 'records', 'consequences', 'measures', 'contact', 'decision']
const CHOICES: readonly BreachChoice[] = ['notify-authority', 'no-notification', 'notified-authority', 'notify-persons', 'notified-persons']

export function BreachDialog({ id, close }: { readonly id: string; readonly close: () => void }): ReactNode {
  const words = useAlarmWords()
  const { data, error, refetch } = useQuery({ queryKey: ['alarms', 'breach', id], queryFn: ({ signal }) => client.breach(id, { signal }) })
  return (
    <Dialog title={words.record} close={close} wide>
      <TroubleBox error={error} retry={() => void refetch()} />
      {data === undefined && error === null && <Skeleton height={300} />}
      {data !== undefined && (
        <>
          <Sheet breach={data} />
          <div className={`${styles.buttons} ${styles.noPrint}`}>
            <Button variant="default" leftSection={<IconPrinter size={18} aria-hidden />} onClick={() => print()}>
              {words.print}
            </Button>
            <Button
              variant="default"
              leftSection={<IconDownload size={18} aria-hidden />}
              onClick={() => saveText(`breach-${data.id}.json`, 'application/json', `${JSON.stringify(data, null, 2)}\n`)}
            >
              {words.json}
            </Button>
          </div>
          <Write breach={data} />
        </>
      )}
    </Dialog>
  )
}

function Sheet({ breach }: { readonly breach: Breach }): ReactNode {
  const { measures } = useSpeech()
  const words = useAlarmWords()
  return (
    <article className={styles.sheet} data-testid="breach-sheet">
      <h2>{words.recordOf(measures.date(breach.begun))}</h2>
      <p>
        <strong>{words.breachState[breach.state]}</strong> · {words.begun(measures.date(breach.begun))} ·{' '}
        {words.aware(measures.date(breach.aware))}
        {breach.state === 'open' && !breach.decided && <> · {leftOf(breach, words)}</>}
      </p>
      <h3>{words.current}</h3>
      <dl className={styles.facts}>
        {ASKED.map((field) => (
          <Fact key={field} name={words.fields[field]} entry={breach.entries.findLast((one) => one.field === field)} />
        ))}
      </dl>
      <h3>{words.entries}</h3>
      <ol className={styles.entries}>
        {breach.entries.map((entry) => (
          <li key={entry.number}>
            <strong>{words.fields[entry.field]}</strong> <small>{words.by(entry.by, measures.date(entry.at))}</small>
            <EntryText entry={entry} />
          </li>
        ))}
      </ol>
      <p className={styles.soft}>{words.judgement}</p>
    </article>
  )
}

function Fact({ name, entry }: { readonly name: string; readonly entry: BreachEntry | undefined }): ReactNode {
  const words = useAlarmWords()
  return (
    <>
      <dt>{name}</dt>
      <dd>{entry === undefined ? <em>{words.missing}</em> : <EntryText entry={entry} />}</dd>
    </>
  )
}

function EntryText({ entry }: { readonly entry: BreachEntry }): ReactNode {
  const { measures } = useSpeech()
  const words = useAlarmWords()
  const facts = [
    entry.count === null ? undefined : measures.number(entry.count),
    entry.time === null ? undefined : measures.date(entry.time),
    entry.choice === null ? undefined : words.choices[entry.choice],
  ].filter(Boolean)
  return (
    <p className={styles.words} {...(entry.field === 'begun' || entry.field === 'alarm' ? { lang: 'en' } : {})}>
      {facts.length > 0 && <strong>{facts.join(' · ')}. </strong>}
      {entry.text}
    </p>
  )
}

function Write({ breach }: { readonly breach: Breach }): ReactNode {
  const words = useAlarmWords()
  const queries = useQueryClient()
  const fields: readonly BreachField[] = breach.state === 'closed' ? ['note', 'reopened'] : WRITABLE
  const [field, setField] = useState<BreachField>(fields[0]!)
  const [text, setText] = useState('')
  const [count, setCount] = useState('')
  const [time, setTime] = useState('')
  const [choice, setChoice] = useState<BreachChoice>('notify-authority')
  const chosen = fields.includes(field) ? field : fields[0]!
  const write = useMutation({
    mutationFn: (entry: BreachEntryRequest) => client.addToBreach(breach.id, entry),
    onSuccess: (next) => {
      queries.setQueryData(['alarms', 'breach', breach.id], next)
      void queries.invalidateQueries({ queryKey: ['alarms', 'breaches'] })
      setText('')
      setCount('')
      noteDone(words.written)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() === '' || (chosen === 'aware' && time === '')) return
    const number = chosen === 'persons' || chosen === 'records' ? within(count, 0, 1e12) : undefined
    write.mutate({
      field: chosen,
      text,
      ...(number === undefined ? {} : { number: Math.round(number) }),
      ...(chosen === 'aware' ? { time: new Date(time).toISOString() } : {}),
      ...(chosen === 'decision' ? { choice } : {}),
    })
  }
  return (
    <form className={`${styles.form} ${styles.noPrint}`} onSubmit={submit} aria-label={words.add}>
      <h3>{words.add}</h3>
      <NativeSelect
        label={words.field}
        value={chosen}
        data={fields.map((value) => ({ value, label: words.fields[value] }))}
        onChange={(event) => setField(fields.find((one) => one === event.currentTarget.value) ?? fields[0]!)}
      />
      {chosen === 'decision' && (
        <NativeSelect
          label={words.choice}
          value={choice}
          data={CHOICES.map((value) => ({ value, label: words.choices[value] }))}
          onChange={(event) => setChoice(CHOICES.find((one) => one === event.currentTarget.value) ?? 'notify-authority')}
        />
      )}
      {(chosen === 'persons' || chosen === 'records') && (
        <TextInput label={words.count} inputMode="numeric" value={count} onChange={(event) => setCount(event.currentTarget.value)} />
      )}
      {chosen === 'aware' && (
        <TextInput
          type="datetime-local"
          label={words.time}
          required
          value={time}
          onChange={(event) => setTime(event.currentTarget.value)}
        />
      )}
      <Textarea
        label={chosen === 'decision' ? words.reason : words.text}
        value={text}
        required
        autosize
        minRows={3}
        maxLength={8000}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <TroubleBox error={write.error} />
      <div className={styles.buttons}>
        <Button type="submit" loading={write.isPending}>
          {words.write}
        </Button>
      </div>
    </form>
  )
}
