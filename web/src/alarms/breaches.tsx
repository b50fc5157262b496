// Records of breaches: which there are, how much of their 72 hours is left, and a new one by hand.
import type { BreachListing } from '#contract'
import { Button, Textarea } from '@mantine/core'
import { IconFileAlert } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Dialog } from '../app/dialog.tsx'
import { TroubleBox } from '../app/trouble-box.tsx'
import dialogs from '../files/dialogs.module.css'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './alarms.module.css'
import { BreachDialog } from './breach-dialog.tsx'
import { every, isDenied } from './permitted.ts'
import { useAlarmWords, type AlarmWords } from './words.ts'

type Outline = BreachListing['breaches'][number]

const HOUR_MS = 3_600_000
const REFRESH_MS = 30_000

export function Breaches(): ReactNode {
  const words = useAlarmWords()
  const [opened, setOpened] = useState<string | undefined>()
  const [beginning, setBeginning] = useState(false)
  const { data, error, refetch } = useQuery({
    queryKey: ['alarms', 'breaches'],
    queryFn: ({ signal }) => client.breaches({ signal }),
    refetchInterval: every(REFRESH_MS),
  })
  if (isDenied(error)) return null
  return (
    <section className={styles.block} aria-labelledby="breaches">
      <div className={styles.head}>
        <h2 id="breaches">{words.breaches}</h2>
        <Button variant="default" leftSection={<IconFileAlert size={18} aria-hidden />} onClick={() => setBeginning(true)}>
          {words.beginBreach}
        </Button>
      </div>
      <p className={styles.soft}>{words.breachesText}</p>
      <TroubleBox error={error} retry={() => void refetch()} />
      {data !== undefined && data.breaches.length === 0 && <p className={styles.soft}>{words.noBreaches}</p>}
      {data !== undefined && data.breaches.length > 0 && (
        <ul className={styles.list}>
          {data.breaches.map((one) => (
            <Row key={one.id} breach={one} open={() => setOpened(one.id)} />
          ))}
        </ul>
      )}
      {opened !== undefined && <BreachDialog id={opened} close={() => setOpened(undefined)} />}
      {beginning && (
        <BeginDialog
          close={() => setBeginning(false)}
          begun={(id) => {
            setBeginning(false)
            setOpened(id)
          }}
        />
      )}
    </section>
  )
}

function Row({ breach, open }: { readonly breach: Outline; readonly open: () => void }): ReactNode {
  const { measures } = useSpeech()
  const words = useAlarmWords()
  const waits = breach.state === 'open' && !breach.decided
  return (
    <li className={styles.row} data-testid="breach">
      <ToneIcon tone={waits ? 'bad' : breach.state === 'open' ? 'warn' : 'idle'} size={20} />
      <div className={styles.text}>
        <strong>{words.recordOf(measures.date(breach.begun))}</strong>
        <small>
          {[
            words.breachState[breach.state],
            words.aware(measures.date(breach.aware)),
            breach.decided ? words.decided : words.undecided,
            breach.code,
          ].join(' · ')}
        </small>
        {waits && <small className={styles.bad}>{leftOf(breach, words)}</small>}
      </div>
      <Button variant="light" onClick={open} aria-label={words.openOf(measures.date(breach.begun))}>
        {words.open}
      </Button>
    </li>
  )
}

export function leftOf({ deadline }: Pick<Outline, 'deadline'>, words: AlarmWords, nowMs = Date.now()): string {
  const hours = Math.floor((Date.parse(deadline) - nowMs) / HOUR_MS)
  return hours < 0 ? words.over : words.left(hours)
}

function BeginDialog({ close, begun }: { readonly close: () => void; readonly begun: (id: string) => void }): ReactNode {
  const { words: all } = useSpeech()
  const words = useAlarmWords()
  const queries = useQueryClient()
  const [text, setText] = useState('')
  const begin = useMutation({
    mutationFn: () => client.beginBreach({ text }),
    onSuccess: ({ id }) => {
      void queries.invalidateQueries({ queryKey: ['alarms'] })
      begun(id)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() !== '') begin.mutate()
  }
  return (
    <Dialog title={words.beginBreach} close={close}>
      <form className={dialogs.form} onSubmit={submit}>
        <p className={dialogs.text}>{words.beginBreachText}</p>
        <Textarea
          label={words.whatHappened}
          value={text}
          required
          autosize
          minRows={4}
          maxLength={8000}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <TroubleBox error={begin.error} />
        <div className={dialogs.buttons}>
          <Button variant="default" onClick={close}>
            {all.app.cancel}
          </Button>
          <Button type="submit" loading={begin.isPending}>
            {words.beginBreach}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
