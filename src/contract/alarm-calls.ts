// The calls of alarms and breaches.
import {
  alarmRoutes,
  type Alarm,
  type AlarmListing,
  type AlarmQuery,
  type AlarmSettings,
  type Breach,
  type BreachEntryRequest,
  type BreachListing,
  type DeliveryListing,
  type DeliveryQuery,
  type Trial,
} from './alarms.ts'
import type { CallOptions } from './client.ts'
import type { Route } from './routes.ts'

export interface AlarmCalls {
  alarms(query?: AlarmQuery, options?: CallOptions): Promise<AlarmListing>
  acknowledgeAlarm(id: string, body?: { note?: string }, options?: CallOptions): Promise<Alarm>
  alarmSettings(options?: CallOptions): Promise<AlarmSettings>
  setAlarmSettings(body: AlarmSettings, options?: CallOptions): Promise<AlarmSettings>
  tryAlarms(body: { channel: 'mail' | 'webhook' }, options?: CallOptions): Promise<Trial>
  deliveries(query?: DeliveryQuery, options?: CallOptions): Promise<DeliveryListing>
  breaches(options?: CallOptions): Promise<BreachListing>
  breach(id: string, options?: CallOptions): Promise<Breach>
  beginBreach(body: { text: string }, options?: CallOptions): Promise<Breach>
  addToBreach(id: string, body: BreachEntryRequest, options?: CallOptions): Promise<Breach>
}

type Call = (
  route: Route,
  input: { query?: object; body?: unknown; params?: Record<string, string> },
  options?: CallOptions,
) => Promise<never>

export function alarmCalls(call: Call): AlarmCalls {
  return {
    alarms: (query = {}, options) => call(alarmRoutes.alarms, { query }, options),
    acknowledgeAlarm: (id, body = {}, options) => call(alarmRoutes.acknowledgeAlarm, { params: { id }, body }, options),
    alarmSettings: (options) => call(alarmRoutes.alarmSettings, {}, options),
    setAlarmSettings: (body, options) => call(alarmRoutes.setAlarmSettings, { body }, options),
    tryAlarms: (body, options) => call(alarmRoutes.tryAlarms, { body }, options),
    deliveries: (query = {}, options) => call(alarmRoutes.deliveries, { query }, options),
    breaches: (options) => call(alarmRoutes.breaches, {}, options),
    breach: (id, options) => call(alarmRoutes.breach, { params: { id } }, options),
    beginBreach: (body, options) => call(alarmRoutes.beginBreach, { body }, options),
    addToBreach: (id, body, options) => call(alarmRoutes.addToBreach, { params: { id }, body }, options),
  }
}
