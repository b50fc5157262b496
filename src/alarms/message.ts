// What a message says: the code, the location, numbers, the next step, and where to look. Nothing else leaves the house.
import type { Alarm, AlarmSettings, Delivery } from '#contract'
import { MESSAGE } from './words.ts'

export interface Message {
  readonly id: string
  readonly reason: Delivery['reason']
  readonly subject: string
  readonly text: string
  /** For programs. */
  readonly json: Readonly<Record<string, unknown>>
}

/** `alarm` is undefined for what tells of many, and for a trial. */
export function composeMessage(request: {
  readonly id: string
  readonly reason: Delivery['reason']
  readonly alarm: Alarm | undefined
  readonly open: number
  readonly settings: Pick<AlarmSettings, 'language' | 'link'>
  readonly sent: string
}): Message {
  const { id, reason, alarm, open, sent } = request
  const { language, link } = request.settings
  const words = MESSAGE[language]
  const said = alarm?.words[language]
  const subject = `Quorate: ${words.reasons[reason]}${said === undefined ? '' : `: ${said.title}`}`
  const body =
    alarm === undefined || said === undefined
      ? [reason === 'test' ? words.test : words.many(open)]
      : [
          `${said.title}. ${said.text}`.trim(),
          '',
          `${words.next}: ${said.next}`,
          '',
          `${words.code}: ${alarm.code}`,
          `${words.since}: ${alarm.since}`,
        ]
  const where = link === null ? [] : ['', `${words.page}: ${link}`]
  return {
    id,
    reason,
    subject,
    text: `${[...body, ...where, '', words.foot].join('\n')}\n`,
    json: {
      version: 1,
      id,
      reason,
      sent,
      open,
      link,
      alarm:
        alarm === undefined || said === undefined
          ? null
          : {
              id: alarm.id,
              code: alarm.code,
              severity: alarm.severity,
              state: alarm.state,
              since: alarm.since,
              ended: alarm.ended,
              times: alarm.times,
              locations: alarm.culprits,
              numbers: alarm.numbers,
              title: said.title,
              next: said.next,
            },
    },
  }
}
