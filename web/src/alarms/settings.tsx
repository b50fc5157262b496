// When alarms ring, and who is told how; saved together, tried by a button.
import type { AlarmSettings } from '#contract'
import { Button, Checkbox, NativeSelect, Skeleton, Switch, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { noteDone } from '../app/notices.ts'
import { TroubleBox } from '../app/trouble-box.tsx'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { client } from '../site/client.ts'
import { LANGUAGES } from '../words/words.tsx'
import styles from './alarms.module.css'
import { isDenied } from './permitted.ts'
import { draftOf, settingsOf, type Draft } from './settings-form.ts'
import { useAlarmWords, type AlarmWords } from './words.ts'

export function AlarmSettingsSection(): ReactNode {
  const words = useAlarmWords()
  const { data, error, refetch } = useQuery({
    queryKey: ['alarm-settings'],
    queryFn: ({ signal }) => client.alarmSettings({ signal }),
    refetchOnWindowFocus: false,
  })
  if (isDenied(error)) return null
  return (
    <section className={styles.block} aria-labelledby="alarm-settings">
      <h2 id="alarm-settings">{words.settings}</h2>
      <p className={styles.soft}>{words.settingsText}</p>
      <TroubleBox error={error} retry={() => void refetch()} />
      {data === undefined && error === null && <Skeleton height={300} />}
      {data !== undefined && <Form settings={data} />}
    </section>
  )
}

interface Part {
  readonly draft: Draft
  readonly words: AlarmWords
  readonly wrong: readonly (keyof Draft)[]
  readonly change: (part: Partial<Draft>) => void
}

function Form({ settings }: { readonly settings: AlarmSettings }): ReactNode {
  const words = useAlarmWords()
  const queries = useQueryClient()
  const [draft, setDraft] = useState(() => draftOf(settings))
  const [tried, setTried] = useState(false)
  const result = settingsOf(draft)
  const wrong = tried ? result.wrong : []
  const save = useMutation({
    mutationFn: (next: AlarmSettings) => client.setAlarmSettings(next),
    onSuccess: (next) => {
      queries.setQueryData(['alarm-settings'], next)
      setDraft(draftOf(next))
      setTried(false)
      noteDone(words.saved)
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (result.settings !== undefined) save.mutate(result.settings)
  }
  const part: Part = { draft, words, wrong, change: (some) => setDraft({ ...draft, ...some }) }
  return (
    <form onSubmit={submit} noValidate className={styles.form}>
      <Times {...part} />
      <Mail {...part} />
      <Webhook {...part} />
      {wrong.length > 0 && (
        <p className={styles.bad} role="alert">
          {words.wrong}
        </p>
      )}
      <TroubleBox error={save.error} />
      <div className={styles.buttons}>
        <Button type="submit" loading={save.isPending}>
          {words.save}
        </Button>
        <span className={styles.soft}>{words.tryText}</span>
        {settings.mail !== null && <Trial channel="mail" label={`${words.try}: ${words.mail}`} />}
        {settings.webhook !== null && <Trial channel="webhook" label={`${words.try}: ${words.webhook}`} />}
      </div>
    </form>
  )
}

type TextName = { [K in keyof Draft]: Draft[K] extends string ? K : never }[keyof Draft]

function Field({
  name,
  label,
  trouble,
  part,
  description,
  type = 'text',
}: {
  readonly name: TextName
  readonly label: string
  readonly trouble?: string
  readonly part: Part
  readonly description?: string
  readonly type?: string
}): ReactNode {
  const { draft, wrong, words, change } = part
  return (
    <TextInput
      type={type}
      label={label}
      description={description}
      value={draft[name]}
      error={wrong.includes(name) ? (trouble ?? words.required) : undefined}
      onChange={(event) => change({ [name]: event.currentTarget.value })}
      autoComplete="off"
      spellCheck={false}
    />
  )
}

function Times(part: Part): ReactNode {
  const { draft, words, change } = part
  const here = `${location.origin}/#/alarms`
  return (
    <>
      <div className={styles.fields}>
        {(['unreachableMinutes', 'repairHours', 'diskPercent', 'reminderHours'] as const).map((name) => (
          <Field key={name} name={name} label={words[name]} trouble={words.wrongNumber} part={part} />
        ))}
        <NativeSelect
          label={words.language}
          value={draft.language}
          data={LANGUAGES.map(({ code, name }) => ({ value: code, label: name }))}
          onChange={(event) => change({ language: event.currentTarget.value === 'de' ? 'de' : 'en' })}
        />
        <div>
          <Field name="link" label={words.link} part={part} />
          {draft.link !== here && (
            <Button variant="subtle" size="compact-sm" onClick={() => change({ link: here })}>
              {words.useThis}
            </Button>
          )}
        </div>
      </div>
      <Switch label={words.quiet} checked={draft.quiet} onChange={(event) => change({ quiet: event.currentTarget.checked })} />
      {draft.quiet && (
        <div className={styles.fields}>
          <Field name="from" label={words.from} part={part} type="time" />
          <Field name="to" label={words.to} part={part} type="time" />
          <Field name="timeZone" label={words.timeZone} part={part} />
        </div>
      )}
    </>
  )
}

function Mail(part: Part): ReactNode {
  const { draft, words, wrong, change } = part
  return (
    <fieldset className={styles.group}>
      <legend>{words.mail}</legend>
      <Switch label={words.mailOn} checked={draft.mail} onChange={(event) => change({ mail: event.currentTarget.checked })} />
      {draft.mail && (
        <div className={styles.fields}>
          <Field name="host" label={words.host} part={part} />
          <NativeSelect
            label={words.security}
            value={draft.security}
            data={(['starttls', 'tls', 'none'] as const).map((value) => ({ value, label: words.securities[value] }))}
            onChange={(event) => {
              const { value } = event.currentTarget
              const security = value === 'tls' || value === 'none' ? value : 'starttls'
              change({ security, port: { starttls: '587', tls: '465', none: '25' }[security] })
            }}
          />
          <Field name="port" label={words.port} trouble={words.wrongNumber} part={part} />
          <Field name="user" label={words.user} part={part} />
          <Field name="passwordFile" label={words.passwordFile} description={words.secretText} part={part} />
          <Field name="authorityFile" label={words.authorityFile} part={part} />
          <Field name="sender" label={words.sender} trouble={words.wrongMail} part={part} />
          <Textarea
            label={words.recipients}
            value={draft.recipients}
            minRows={2}
            autosize
            error={wrong.includes('recipients') ? words.wrongMail : undefined}
            onChange={(event) => change({ recipients: event.currentTarget.value })}
          />
          <Textarea
            label={words.escalate}
            value={draft.escalateTo}
            minRows={2}
            autosize
            error={wrong.includes('escalateTo') ? words.wrongMail : undefined}
            onChange={(event) => change({ escalateTo: event.currentTarget.value })}
          />
        </div>
      )}
    </fieldset>
  )
}

function Webhook(part: Part): ReactNode {
  const { draft, words, change } = part
  return (
    <fieldset className={styles.group}>
      <legend>{words.webhook}</legend>
      <Switch label={words.webhookOn} checked={draft.webhook} onChange={(event) => change({ webhook: event.currentTarget.checked })} />
      {draft.webhook && (
        <>
          <div className={styles.fields}>
            <Field name="url" label={words.url} part={part} />
            <Field name="secretFile" label={words.secretFile} description={words.secretText} part={part} />
            <Field name="hookAuthorityFile" label={words.authorityFile} part={part} />
          </div>
          <Checkbox
            label={words.allowPrivate}
            checked={draft.allowPrivate}
            onChange={(event) => change({ allowPrivate: event.currentTarget.checked })}
          />
        </>
      )}
    </fieldset>
  )
}

function Trial({ channel, label }: { readonly channel: 'mail' | 'webhook'; readonly label: string }): ReactNode {
  const words = useAlarmWords()
  const queries = useQueryClient()
  const trial = useMutation({
    mutationFn: () => client.tryAlarms({ channel }),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['alarms'] }),
  })
  return (
    <div className={styles.trial}>
      <Button variant="default" onClick={() => trial.mutate()} loading={trial.isPending}>
        {label}
      </Button>
      <TroubleBox error={trial.error} />
      {trial.data !== undefined && (
        <div role="status">
          <ul className={styles.plain}>
            {trial.data.results.map(({ to, delivered, problem }) => (
              <li key={to}>
                <ToneIcon tone={delivered ? 'good' : 'bad'} size={18} /> {delivered ? words.tried(to) : words.notTried(to)}
                {problem !== null && (
                  <small className={styles.bad} lang="en">
                    {' '}
                    {problem}
                  </small>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  )
}
