// Activity and audit: what happened, by whom, and the proof that nobody changed it since.
import { type AuditEntry, type AuditHead, auditKind, auditOutcome, type AuditQuery, routes, target } from '#contract'
import { fromBase64, toHex } from '#base'
import { Button, NativeSelect, Skeleton, TextInput } from '@mantine/core'
import { IconDownload, IconFilter, IconReceipt, IconTimeline } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import type { Tone } from '../pictures/tone.ts'
import { ToneIcon, TonePill } from '../pictures/tone-icon.tsx'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './audit.module.css'
import { Verification } from './verification.tsx'
import { useAuditWords } from './words.ts'

const PAGE = 50
const REFRESH_MS = 15_000

type Filter = Pick<AuditQuery, 'kind' | 'outcome' | 'actor' | 'object' | 'since' | 'until'>

export function AuditPage(): ReactNode {
  const words = useAuditWords()
  const { words: all } = useSpeech()
  const head = useQuery({ queryKey: ['audit', 'head'], queryFn: ({ signal }) => client.auditHead({ signal }), refetchInterval: REFRESH_MS })
  useEffect(() => {
    document.title = `${words.title} · ${all.app.name}`
  }, [words, all])
  return (
    <div className={styles.page}>
      <div>
        <h1>{words.title}</h1>
        <p className={styles.soft}>{words.lead}</p>
      </div>
      <TroubleBox error={head.error} retry={() => void head.refetch()} />
      {head.isPending && <Skeleton height={180} radius="lg" />}
      {head.data !== undefined && <Head head={head.data} again={() => void head.refetch()} />}
      <Entries empty={head.data?.size === 0} />
    </div>
  )
}

const TONES = { sound: 'good', damaged: 'bad', tampered: 'bad' } as const satisfies Record<AuditHead['state'], Tone>

function Head({ head, again }: { readonly head: AuditHead; readonly again: () => void }): ReactNode {
  const words = useAuditWords()
  const { measures } = useSpeech()
  const [wrong, setWrong] = useState(false)
  // What this browser has found counts, whatever the site says of itself.
  const state = wrong && head.state === 'sound' ? 'damaged' : head.state
  return (
    <section className={styles.block} aria-labelledby="log">
      <div className={styles.row}>
        <h2 id="log">{words.log}</h2>
        <TonePill tone={TONES[state]}>{words.states[state]}</TonePill>
      </div>
      {head.problem !== null && (
        <div className={styles.verdict} data-tone="bad" role="alert">
          <ToneIcon tone="bad" size={22} />
          <div>
            <strong lang="en">{head.problem.detail}</strong>
            {head.state === 'tampered' && <p>{words.tampered}</p>}
          </div>
        </div>
      )}
      <p className={styles.line}>
        <strong>{words.entries(measures.number(head.size))}</strong>
        <span className={styles.soft}>{words.signed(measures.date(head.at))}</span>
      </p>
      {head.root !== '' && (
        <div>
          <span className={styles.label}>{words.fingerprint}</span>
          <code className={styles.code}>{grouped(toHex(fromBase64(head.root)))}</code>
          <span className={styles.soft}>{words.fingerprintText}</span>
        </div>
      )}
      {head.state !== 'tampered' && (
        <Verification
          done={(found) => {
            setWrong(found)
            again()
          }}
        />
      )}
      <details className={styles.details}>
        <summary>{words.keys}</summary>
        <p className={styles.soft}>{words.keysText}</p>
        {head.vkeys.map((key) => (
          <code key={key} className={styles.key} tabIndex={0}>
            {key}
          </code>
        ))}
        <Button
          component="a"
          href={routes.auditCheckpoint.path}
          download={`${head.origin.replaceAll('/', '-')}-${head.size}.checkpoint`}
          variant="default"
          leftSection={<IconDownload size={18} aria-hidden />}
        >
          {words.head}
        </Button>
      </details>
    </section>
  )
}

function Entries({ empty }: { readonly empty: boolean }): ReactNode {
  const words = useAuditWords()
  const [filter, setFilter] = useState<Filter>({})
  const [only, setOnly] = useState<string>()
  const filtered = Object.keys(filter).length > 0
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['audit', 'entries', filter],
    queryFn: ({ pageParam, signal }) =>
      client.auditEntries({ ...filter, limit: PAGE, ...(pageParam === undefined ? {} : { after: pageParam }) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: REFRESH_MS,
  })
  const entries = data?.pages.flatMap((page) => page.entries) ?? []
  const choose = (part: Filter, what: string): void => {
    setFilter((before) => ({ ...before, ...part }))
    setOnly(what)
  }
  return (
    <section className={styles.block} aria-labelledby="entries">
      <h2 id="entries">{words.list}</h2>
      <Filters filter={filter} change={setFilter} />
      {only !== undefined && filtered && <p className={styles.soft}>{words.only(only)}</p>}
      {filtered && (
        <div className={styles.buttons}>
          <Button
            variant="default"
            onClick={() => {
              setFilter({})
              setOnly(undefined)
            }}
          >
            {words.clear}
          </Button>
        </div>
      )}
      <TroubleBox error={error} retry={() => void refetch()} />
      {data === undefined && error === null && <Skeleton height={260} radius="lg" />}
      {data !== undefined && entries.length === 0 && (
        <div className={styles.empty}>
          <IconTimeline size={44} stroke={1.25} aria-hidden />
          <h3>{filtered || !empty ? words.none : words.nothing}</h3>
          <p>{filtered || !empty ? words.noneText : words.nothingText}</p>
        </div>
      )}
      <ul className={styles.list} aria-labelledby="entries">
        {entries.map((entry) => (
          <Entry key={entry.index} entry={entry} choose={choose} />
        ))}
      </ul>
      {hasNextPage && (
        <Button variant="default" onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
          {words.more}
        </Button>
      )}
    </section>
  )
}

function Filters({ filter, change }: { readonly filter: Filter; readonly change: (filter: Filter) => void }): ReactNode {
  const words = useAuditWords()
  const set = (name: keyof Filter, value: string): void => {
    const { [name]: _, ...rest } = filter
    change(value === '' ? rest : { ...rest, [name]: value })
  }
  const day = (moment: string | undefined): string => (moment === undefined ? '' : localDay(new Date(moment)))
  return (
    <fieldset className={styles.filters}>
      <legend className={styles.hidden}>{words.filters}</legend>
      <NativeSelect
        label={words.kind}
        leftSection={<IconFilter size={16} aria-hidden />}
        value={filter.kind ?? ''}
        onChange={(event) => set('kind', event.currentTarget.value)}
        data={[{ value: '', label: words.all }, ...auditKind.options.map((kind) => ({ value: kind, label: words.kinds[kind] ?? kind }))]}
      />
      <NativeSelect
        label={words.outcome}
        value={filter.outcome ?? ''}
        onChange={(event) => set('outcome', event.currentTarget.value)}
        data={[{ value: '', label: words.all }, ...auditOutcome.options.map((one) => ({ value: one, label: words.outcomes[one] }))]}
      />
      <TextInput
        type="date"
        label={words.since}
        value={day(filter.since)}
        onChange={(event) => set('since', startOf(event.currentTarget.value, 0))}
      />
      <TextInput
        type="date"
        label={words.until}
        value={filter.until === undefined ? '' : day(new Date(Date.parse(filter.until) - 1).toISOString())}
        onChange={(event) => set('until', startOf(event.currentTarget.value, 1))}
      />
    </fieldset>
  )
}

const OUTCOME_TONES = { allowed: 'good', done: 'good', refused: 'warn', failed: 'bad' } as const satisfies Record<
  AuditEntry['outcome'],
  Tone
>

function Entry({ entry, choose }: { readonly entry: AuditEntry; readonly choose: (part: Filter, what: string) => void }): ReactNode {
  const words = useAuditWords()
  const { words: all, measures } = useSpeech()
  const { personal, object, code, count, erased } = entry
  const who = whoIs(entry, words)
  const where = personal?.path
  const details = Object.entries(personal?.detail ?? {}).map(([name, value]) => `${name}: ${value}`)
  const notes = [
    measures.date(entry.at),
    words.entry(measures.number(entry.index)),
    ...(count === undefined ? [] : [words.times(measures.number(count))]),
    ...(object === undefined || object.version === 0 ? [] : [words.version(measures.number(object.version))]),
    ...(personal?.subject === undefined
      ? []
      : [words.about(personal.subject.name === '' ? words.somebody(personal.subject.id.slice(0, 8)) : personal.subject.name)]),
    ...(code === undefined ? [] : [all.problems[code] ?? code]),
  ]
  return (
    <li className={styles.entry} data-index={entry.index}>
      <div className={styles.text}>
        <span className={styles.what}>
          <strong>{words.kinds[entry.kind] ?? entry.kind}</strong>
          <TonePill tone={OUTCOME_TONES[entry.outcome]}>{words.outcomes[entry.outcome]}</TonePill>
        </span>
        <span>
          {entry.actor === 'site' || entry.actor === 'nobody' ? (
            who
          ) : (
            <button
              type="button"
              className={styles.link}
              onClick={() => choose({ actor: entry.actor }, who)}
              aria-label={words.onlyWho(who)}
            >
              {who}
            </button>
          )}
          {where !== undefined && ': '}
          {where !== undefined &&
            (object === undefined ? (
              where
            ) : (
              <button
                type="button"
                className={styles.link}
                onClick={() => choose({ object: object.id }, where)}
                aria-label={`${words.onlyFile}: ${where}`}
              >
                {where}
              </button>
            ))}
        </span>
        {erased !== null && <small>{words.erased(measures.date(erased))}</small>}
        <small>{notes.join(' · ')}</small>
        {details.length > 0 && <small>{details.join(' · ')}</small>}
      </div>
      <Button
        component="a"
        size="xs"
        variant="subtle"
        href={target(routes.auditReceipt, { params: { index: String(entry.index) } })}
        download={`entry-${entry.index}.tlog-proof`}
        leftSection={<IconReceipt size={16} aria-hidden />}
        aria-label={words.receiptOf(measures.number(entry.index))}
      >
        {words.receipt}
      </Button>
    </li>
  )
}

function whoIs({ actor, personal }: AuditEntry, words: ReturnType<typeof useAuditWords>): string {
  if (actor === 'site') return words.site
  const name = personal?.actor?.name
  if (name !== undefined && name !== '') return name
  return actor === 'nobody' ? words.nobody : words.somebody(actor.slice(actor.indexOf(':') + 1, actor.indexOf(':') + 9))
}

/** As a field of a date wants it, in the person's own time. */
function localDay(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** The beginning of that day, or of one so many days later; empty for what is no day. */
function startOf(day: string, later: number): string {
  const date = new Date(`${day}T00:00`)
  if (Number.isNaN(date.getTime())) return ''
  date.setDate(date.getDate() + later)
  return date.toISOString()
}

function grouped(hex: string): string {
  return hex.replace(/.{8}(?=.)/g, '$& ')
}
