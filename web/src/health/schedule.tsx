// What is checked when, how far it is, and how hard it may work; saved together.
import type { HealthRequest, HealthView, ScrubDepth } from '#contract'
import { Button, Progress, Switch, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { noteDone } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { noteTask } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './health.module.css'
import { SpanField } from './span-field.tsx'
import { secondsOf, spanOf, type SpanDraft } from './spans.ts'
import { within } from './typed-number.ts'
import { useHealthWords } from './words.ts'

type Pass = HealthView['schedule'][number]

interface Draft {
  readonly passes: Readonly<Record<ScrubDepth, { readonly enabled: boolean; readonly every: SpanDraft }>>
  readonly rate: string
  readonly share: string
  readonly delay: SpanDraft
  readonly autoRepair: boolean
  readonly paused: boolean
}

const MIB = 2 ** 20
const HOUR_S = 3600
const EVERY_S = { least: HOUR_S, most: 87_600 * HOUR_S }
const DELAY_S = { least: 0, most: 604_800 }
const EVERY_UNITS = ['hours', 'days'] as const
const DELAY_UNITS = ['seconds', 'minutes', 'hours', 'days'] as const

export function Schedule({ view }: { readonly view: HealthView }): ReactNode {
  const words = useHealthWords()
  const queries = useQueryClient()
  const [draft, setDraft] = useState(() => draftOf(view))
  const [tried, setTried] = useState(false)
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part })
  const request = requestOf(draft)
  const save = useMutation({
    mutationFn: (body: HealthRequest) => client.setHealth(body),
    onSuccess: (next) => {
      queries.setQueryData(['health'], next)
      setDraft(draftOf(next))
      noteDone(words.saved)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (request !== undefined) save.mutate(request)
  }
  const troubleOf = (fine: boolean): string | undefined => (tried && !fine ? words.wrong : undefined)
  return (
    <section className={styles.block} aria-labelledby="health-schedule">
      <h2 id="health-schedule">{words.schedule}</h2>
      <form onSubmit={submit} noValidate>
        {view.schedule.map((pass) => (
          <Depth
            key={pass.depth}
            pass={pass}
            draft={draft.passes[pass.depth]}
            trouble={troubleOf(secondsOf(draft.passes[pass.depth].every, EVERY_S.least, EVERY_S.most) !== undefined)}
            change={(one) => change({ passes: { ...draft.passes, [pass.depth]: one } })}
          />
        ))}
        <div className={styles.fields}>
          <TextInput
            label={words.rate}
            inputMode="decimal"
            value={draft.rate}
            error={troubleOf(within(draft.rate, 0.0625, 95_000) !== undefined)}
            onChange={(event) => change({ rate: event.currentTarget.value })}
          />
          <TextInput
            label={words.share}
            inputMode="decimal"
            value={draft.share}
            error={troubleOf(within(draft.share, 1, 100) !== undefined)}
            onChange={(event) => change({ share: event.currentTarget.value })}
          />
          <SpanField
            label={words.delay}
            units={DELAY_UNITS}
            value={draft.delay}
            error={troubleOf(secondsOf(draft.delay, DELAY_S.least, DELAY_S.most) !== undefined)}
            change={(delay) => change({ delay })}
          />
        </div>
        <div className={styles.switches}>
          <Switch
            label={words.autoRepair}
            checked={draft.autoRepair}
            onChange={(event) => change({ autoRepair: event.currentTarget.checked })}
          />
          <Switch label={words.paused} checked={draft.paused} onChange={(event) => change({ paused: event.currentTarget.checked })} />
          <span className={styles.space} />
          <Button type="submit" loading={save.isPending}>
            {words.save}
          </Button>
        </div>
        <TroubleBox error={save.error} />
      </form>
    </section>
  )
}

interface DepthProps {
  readonly pass: Pass
  readonly draft: { readonly enabled: boolean; readonly every: SpanDraft }
  readonly trouble: string | undefined
  readonly change: (draft: { readonly enabled: boolean; readonly every: SpanDraft }) => void
}

function Depth({ pass, draft, trouble, change }: DepthProps): ReactNode {
  const { measures } = useSpeech()
  const words = useHealthWords()
  const queries = useQueryClient()
  const { name, text } = words.depths[pass.depth]
  const now = useMutation({ mutationFn: () => client.scrub({ depth: pass.depth }), onSuccess: (task) => noteTask(queries, task) })
  return (
    <fieldset className={styles.depth} data-testid={`depth-${pass.depth}`}>
      <legend>{name}</legend>
      <p className={styles.none}>{text}</p>
      <div className={styles.fields}>
        <SpanField
          label={words.every}
          units={EVERY_UNITS}
          value={draft.every}
          disabled={!draft.enabled}
          error={trouble}
          change={(every) => change({ ...draft, every })}
        />
        <div className={styles.switches}>
          <Switch
            label={words.on}
            aria-label={`${words.on}: ${name}`}
            checked={draft.enabled}
            onChange={(event) => change({ ...draft, enabled: event.currentTarget.checked })}
          />
          <Button
            variant="default"
            size="compact-sm"
            aria-label={`${words.now}: ${name}`}
            onClick={() => now.mutate()}
            loading={now.isPending}
          >
            {words.now}
          </Button>
        </div>
      </div>
      {pass.progress !== null && (
        <>
          <Progress value={pass.progress * 100} aria-label={`${name}: ${words.pass(measures.percent(pass.progress))}`} />
          <p className={styles.small}>{words.pass(measures.percent(pass.progress))}</p>
        </>
      )}
      <p className={styles.small}>
        {pass.finished === null ? words.never : words.finished(measures.date(pass.finished))}{' '}
        {pass.findings > 0 && <strong>{words.findings(pass.findings)}</strong>}
      </p>
      <TroubleBox error={now.error} />
    </fieldset>
  )
}

function draftOf({ settings, schedule }: HealthView): Draft {
  const of = (depth: ScrubDepth): { enabled: boolean; every: SpanDraft } => {
    const pass = schedule.find((one) => one.depth === depth)
    return { enabled: pass?.enabled ?? false, every: spanOf((pass?.everyHours ?? 24) * HOUR_S, EVERY_UNITS) }
  }
  return {
    passes: { present: of('present'), tags: of('tags'), full: of('full') },
    rate: String(Math.round((settings.bytesPerSecond / MIB) * 100) / 100),
    share: String(Math.round(settings.timeShare * 1000) / 10),
    delay: spanOf(settings.repairDelaySeconds, DELAY_UNITS),
    autoRepair: settings.autoRepair,
    paused: settings.paused,
  }
}

/** Undefined while something in it is not usable. */
function requestOf(draft: Draft): HealthRequest | undefined {
  const rate = within(draft.rate, 0.0625, 95_000)
  const share = within(draft.share, 1, 100)
  const delay = secondsOf(draft.delay, DELAY_S.least, DELAY_S.most)
  const schedule = (['present', 'tags', 'full'] as const).map((depth) => ({
    depth,
    enabled: draft.passes[depth].enabled,
    everySeconds: secondsOf(draft.passes[depth].every, EVERY_S.least, EVERY_S.most),
  }))
  if (rate === undefined || share === undefined || delay === undefined || schedule.some(({ everySeconds }) => everySeconds === undefined))
    return undefined
  return {
    schedule: schedule.map(({ everySeconds, ...one }) => ({ ...one, everyHours: everySeconds! / HOUR_S })),
    bytesPerSecond: Math.round(rate * MIB),
    timeShare: share / 100,
    repairDelaySeconds: delay,
    autoRepair: draft.autoRepair,
    paused: draft.paused,
  }
}
