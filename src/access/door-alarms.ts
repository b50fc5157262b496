// What a door lets somebody do about alarms and breaches.
import type { Alarms } from '#alarms'
import type {
  Ability,
  Alarm,
  AlarmListing,
  AlarmQuery,
  AlarmSettings,
  Breach,
  BreachEntryRequest,
  BreachListing,
  DeliveryListing,
  DeliveryQuery,
  Trial,
} from '#contract'
import type { Authority } from './authority.ts'

export interface AlarmDoor {
  alarms(query: AlarmQuery): Promise<AlarmListing>
  /** A person has seen it. */
  acknowledgeAlarm(request: { readonly id: string; readonly note: string }): Promise<Alarm>
  alarmSettings(): Promise<AlarmSettings>
  setAlarmSettings(settings: AlarmSettings): Promise<AlarmSettings>
  tryAlarms(request: { readonly channel: 'mail' | 'webhook' }): Promise<Trial>
  deliveries(query: DeliveryQuery): Promise<DeliveryListing>
  breaches(): Promise<BreachListing>
  breach(request: { readonly id: string }): Promise<Breach>
  beginBreach(request: { readonly text: string }): Promise<Breach>
  /** Adds; what stood there before stays. */
  addToBreach(request: BreachEntryRequest & { readonly id: string }): Promise<Breach>
}

/** Who looks after the site answers its alarms; a breach is the data protection officer's to judge. Kept under the name of whoever decided. */
export function alarmDoor({ alarms, authority }: { readonly alarms: Alarms; readonly authority: Authority }): AlarmDoor {
  const by = authority.actor.name
  const may = async <T>(ability: Ability, work: () => Promise<T>): Promise<T> => {
    await authority.demandAble('alarm', ability)
    return work()
  }
  return {
    alarms: (query) => may('look', () => alarms.list(query)),
    acknowledgeAlarm: (request) =>
      may('alarms', () => authority.noted('alarm', { acknowledged: request.id }, () => alarms.acknowledge({ ...request, by }))),
    alarmSettings: () => may('run', () => alarms.settings()),
    setAlarmSettings: (settings) => may('run', () => authority.noted('settings', { of: 'alarms' }, () => alarms.setSettings(settings))),
    tryAlarms: ({ channel }) => may('run', () => alarms.try(channel)),
    deliveries: (query) => may('run', () => alarms.deliveries(query)),
    breaches: () => may('records', () => alarms.breaches()),
    breach: ({ id }) => may('records', () => alarms.breach(id)),
    beginBreach: (request) =>
      may('protection', () => authority.noted('alarm', { breach: 'begun' }, () => alarms.beginBreach({ ...request, by }))),
    addToBreach: (request) =>
      may('protection', () => authority.noted('alarm', { breach: request.id }, () => alarms.addToBreach({ ...request, by }))),
  }
}
