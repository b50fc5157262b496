// alarms and breach: what rings, who is told, and the records that alarms begin.
import { readFile } from 'node:fs/promises'
import { Failure } from '#base'
import { alarmSettings, type Alarm } from '#contract'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { localFailure } from '../local-failure.ts'
import { printable } from '../words.ts'

export type AlarmWish =
  | { readonly kind: 'alarms-list'; readonly all: boolean }
  | { readonly kind: 'alarms-acknowledge'; readonly id: string; readonly note: string }
  | { readonly kind: 'alarms-settings'; readonly file: string | undefined }
  | { readonly kind: 'alarms-try'; readonly channel: 'mail' | 'webhook' }
  | { readonly kind: 'alarms-messages' }
  | { readonly kind: 'breach-list' }
  | { readonly kind: 'breach-show'; readonly id: string }

const SETTINGS_BYTES_MAX = 100_000

/** Answers the exit code. */
export async function performAlarms(context: Context, wish: AlarmWish): Promise<number> {
  switch (wish.kind) {
    case 'alarms-list':
      return listAlarms(context, wish.all)
    case 'alarms-acknowledge':
      return acknowledge(context, wish.id, wish.note)
    case 'alarms-settings':
      return settings(context, wish.file)
    case 'alarms-try':
      return tryChannel(context, wish.channel)
    case 'alarms-messages':
      return listMessages(context)
    case 'breach-list':
      return listBreaches(context)
    case 'breach-show':
      return showBreach(context, wish.id)
  }
}

/** Every page of it, for programs as one list. */
async function listAlarms({ client, out, signal }: Context, all: boolean): Promise<number> {
  const alarms: Alarm[] = []
  for (let after: string | undefined; ;) {
    const page = await client.alarms({ state: all ? 'all' : 'active', limit: 200, ...(after === undefined ? {} : { after }) }, { signal })
    alarms.push(...page.alarms)
    if (page.next === null) break
    after = page.next
  }
  await out.value({ alarms })
  for (const { id, severity, state, since, words, culprits } of alarms) {
    await out.line(
      `${severity.padEnd(8)} ${state.padEnd(12)} ${since}  ${printable(words.en.title)}${culprits.length === 0 ? '' : `: ${culprits.map(printable).join(', ')}`}`,
    )
    if (state !== 'over') await out.line(`         ${id}  ${printable(words.en.next)}`)
  }
  if (alarms.length === 0) await out.line('Nothing rings.')
  return alarms.some(({ state }) => state === 'open') ? EXIT.degraded : EXIT.done
}

async function acknowledge({ client, out, signal }: Context, id: string, note: string): Promise<number> {
  const alarm = await client.acknowledgeAlarm(id, { note }, { signal })
  await out.value(alarm)
  await out.line(`Seen: ${printable(alarm.words.en.title)}`)
  return EXIT.done
}

/** Without a file the settings are shown, as they can be written back. */
async function settings({ client, out, signal }: Context, file: string | undefined): Promise<number> {
  const settings =
    file === undefined ? await client.alarmSettings({ signal }) : await client.setAlarmSettings(await settingsIn(file), { signal })
  await out.value(settings)
  await out.line(JSON.stringify(settings, null, 2))
  return EXIT.done
}

async function settingsIn(file: string) {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw localFailure(error, 'read', file)
  }
  if (text.length > SETTINGS_BYTES_MAX) throw new Failure('cli.file', { detail: `${file} is too large for settings.` })
  try {
    return alarmSettings.strict().parse(JSON.parse(text))
  } catch (error) {
    throw new Failure('cli.file', {
      detail: `${file} does not hold settings of alarms.`,
      next: 'Begin with what `quorate alarms settings` shows.',
      culprits: [file],
      cause: error,
    })
  }
}

async function tryChannel({ client, out, signal }: Context, channel: 'mail' | 'webhook'): Promise<number> {
  const trial = await client.tryAlarms({ channel }, { signal })
  await out.value(trial)
  for (const { to, delivered, problem } of trial.results)
    await out.line(`${delivered ? 'arrived' : 'FAILED '} ${printable(to)}${problem === null ? '' : `: ${printable(problem)}`}`)
  return trial.results.every(({ delivered }) => delivered) ? EXIT.done : EXIT.failed
}

async function listMessages({ client, out, signal }: Context): Promise<number> {
  const { deliveries } = await client.deliveries({ limit: 200 }, { signal })
  await out.value({ deliveries })
  for (const { state, channel, to, reason, code, created, attempts, problem } of deliveries)
    await out.line(
      `${state.padEnd(9)} ${created}  ${channel} ${printable(to)}  ${reason}${code === null ? '' : ` ${code}`}${problem === null ? '' : `  (${attempts}) ${printable(problem)}`}`,
    )
  if (deliveries.length === 0) await out.line('No message was sent yet.')
  return deliveries.some(({ state }) => state === 'failed') ? EXIT.degraded : EXIT.done
}

async function listBreaches({ client, out, signal }: Context): Promise<number> {
  const listing = await client.breaches({ signal })
  await out.value(listing)
  for (const { id, code, state, decided, aware, deadline } of listing.breaches)
    await out.line(`${id}  ${state.padEnd(6)} ${decided ? 'decided  ' : 'UNDECIDED'}  aware ${aware}  72 hours end ${deadline}  ${code}`)
  if (listing.breaches.length === 0) await out.line('There is no record.')
  return listing.breaches.some(({ state, decided }) => state === 'open' && !decided) ? EXIT.degraded : EXIT.done
}

async function showBreach({ client, out, signal }: Context, id: string): Promise<number> {
  const record = await client.breach(id, { signal })
  await out.value(record)
  await out.line(`${record.state}, begun ${record.begun}, aware ${record.aware}, 72 hours end ${record.deadline}`)
  for (const { number, at, by, field, text, count, time, choice } of record.entries) {
    await out.line(
      `${number}. ${at} ${printable(by)}: ${field}${[count, time, choice]
        .filter((fact) => fact !== null)
        .map((fact) => ` ${fact}`)
        .join('')}`,
    )
    await out.line(`   ${printable(text)}`)
  }
  return EXIT.done
}
