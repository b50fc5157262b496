// What a door lets somebody do about alarms and breaches.
import type { Alarms } from '#alarms'
import type {
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

/** `by`: the name under which it is kept. */
export function alarmDoor(alarms: Alarms, by: string): AlarmDoor {
  return {
    alarms: (query) => alarms.list(query),
    acknowledgeAlarm: (request) => alarms.acknowledge({ ...request, by }),
    alarmSettings: () => alarms.settings(),
    setAlarmSettings: (settings) => alarms.setSettings(settings),
    tryAlarms: ({ channel }) => alarms.try(channel),
    deliveries: (query) => alarms.deliveries(query),
    breaches: () => alarms.breaches(),
    breach: ({ id }) => alarms.breach(id),
    beginBreach: (request) => alarms.beginBreach({ ...request, by }),
    addToBreach: (request) => alarms.addToBreach({ ...request, by }),
  }
}
