// The routes of alarms and breaches: one line for each.
import type { Handlers } from './handlers.ts'

type AlarmRoute =
  | 'alarms'
  | 'acknowledgeAlarm'
  | 'alarmSettings'
  | 'setAlarmSettings'
  | 'tryAlarms'
  | 'deliveries'
  | 'breaches'
  | 'beginBreach'
  | 'breach'
  | 'addToBreach'

export const alarmHandlers: Pick<Handlers, AlarmRoute> = {
  alarms: ({ door, query }) => door.alarms(query),
  acknowledgeAlarm: ({ door, params, body }) => door.acknowledgeAlarm({ id: params['id'] ?? '', note: body.note }),
  alarmSettings: ({ door }) => door.alarmSettings(),
  setAlarmSettings: ({ door, body }) => door.setAlarmSettings(body),
  tryAlarms: ({ door, body }) => door.tryAlarms(body),
  deliveries: ({ door, query }) => door.deliveries(query),
  breaches: ({ door }) => door.breaches(),
  beginBreach: ({ door, body }) => door.beginBreach(body),
  breach: ({ door, params }) => door.breach({ id: params['id'] ?? '' }),
  addToBreach: ({ door, params, body }) => door.addToBreach({ ...body, id: params['id'] ?? '' }),
}
