// Alarms: what rings, who is told and how, and the records of breaches that they start.
import { z } from 'zod'
import { hexId, timestamp } from './schemas.ts'

/** notice: on the page only; warning: told, but not at night; alarm: told at once, and again until somebody has seen it. */
export const alarmSeverity = z.enum(['notice', 'warning', 'alarm'])
export type AlarmSeverity = z.infer<typeof alarmSeverity>

const alarmText = z.object({ title: z.string(), text: z.string(), next: z.string() })

export const alarm = z.object({
  id: hexId,
  /** Of the table of codes. */
  code: z.string(),
  severity: alarmSeverity,
  /** open: nobody has seen it; acknowledged: somebody has, and it lasts; over: its cause is gone. */
  state: z.enum(['open', 'acknowledged', 'over']),
  since: timestamp,
  /** When its cause was seen last. */
  last: timestamp,
  /** When its cause was gone; an open one may wait for somebody to see it all the same. */
  ended: timestamp.nullable(),
  /** How often it came, 1 at first. */
  times: z.number().int(),
  /** Labels of locations or parties. */
  culprits: z.array(z.string()),
  numbers: z.record(z.string(), z.number()),
  words: z.object({ en: alarmText, de: alarmText }),
  acknowledged: z.object({ by: z.string(), at: timestamp, note: z.string() }).nullable(),
  /** The record of a breach that it belongs to. */
  breach: hexId.nullable(),
  /** Messages about it that did not arrive yet. */
  undelivered: z.number().int(),
})
export type Alarm = z.infer<typeof alarm>

export const alarmListing = z.object({
  alarms: z.array(alarm),
  next: z.string().nullable(),
  counts: z.object({ open: z.number().int(), acknowledged: z.number().int(), undelivered: z.number().int() }),
})
export type AlarmListing = z.infer<typeof alarmListing>

export const delivery = z.object({
  id: hexId,
  alarm: hexId.nullable(),
  code: z.string().nullable(),
  channel: z.enum(['mail', 'webhook']),
  to: z.string(),
  reason: z.enum(['began', 'worse', 'returned', 'reminder', 'over', 'many', 'test']),
  state: z.enum(['waiting', 'delivered', 'failed']),
  attempts: z.number().int(),
  created: timestamp,
  /** When it is tried next. */
  due: timestamp.nullable(),
  ended: timestamp.nullable(),
  /** Why the last try failed. */
  problem: z.string().nullable(),
})
export type Delivery = z.infer<typeof delivery>
export const deliveryListing = z.object({ deliveries: z.array(delivery), next: z.string().nullable() })
export type DeliveryListing = z.infer<typeof deliveryListing>

/** No control characters, which could become headers of their own. */
const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'one line without control characters')
const mailAddress = line(254).regex(/^[^\s@<>,;"]+@[^\s@<>,;"]+$/, 'a mail address')
/** A file in the folder `secrets` of the home: a page must not name others. */
const secretFile = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, 'the name of a file in the folder secrets of the home')
const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/)

export const mailSettings = z.object({
  host: line(253),
  port: z.number().int().min(1).max(65_535),
  /** starttls and tls both refuse to go on in clear; none is for a server on this machine. */
  security: z.enum(['starttls', 'tls', 'none']),
  user: line(254).nullable(),
  passwordFile: secretFile.nullable(),
  /** PEM of the authority of the server, where it is none that everybody knows. */
  authorityFile: secretFile.nullable(),
  from: mailAddress,
  to: z.array(mailAddress).min(1).max(10),
  /** Told as well when nobody has seen an alarm for long. */
  escalateTo: z.array(mailAddress).max(10),
})
export type MailSettings = z.infer<typeof mailSettings>

export const webhookSettings = z.object({
  url: z.url({ protocol: /^https$/ }).max(2000),
  /** At least 32 bytes, the key of the signature. */
  secretFile,
  authorityFile: secretFile.nullable(),
  /** Addresses of this machine and of private networks are refused without this. */
  allowPrivate: z.boolean(),
})
export type WebhookSettings = z.infer<typeof webhookSettings>

export const alarmSettings = z.object({
  /** A location that does not answer rings after so long. */
  unreachableMinutes: z.number().int().min(1).max(10_080),
  /** Damage that waits for repair rings after so long. */
  repairHours: z.number().int().min(1).max(8760),
  /** The disk of the home rings below this part of it. */
  diskPercent: z.number().int().min(1).max(50),
  /** Of the messages. */
  language: z.enum(['en', 'de']),
  /** The page that messages lead to. */
  link: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .nullable(),
  /** Warnings wait for their end; alarms do not. */
  quiet: z.object({ from: clockTime, to: clockTime, timeZone: line(64) }).nullable(),
  /** An alarm that nobody has seen is told again after so long, then each day; 0 never. */
  reminderHours: z.number().int().min(0).max(168),
  mail: mailSettings.nullable(),
  webhook: webhookSettings.nullable(),
})
export type AlarmSettings = z.infer<typeof alarmSettings>

export const trial = z.object({ results: z.array(z.object({ to: z.string(), delivered: z.boolean(), problem: z.string().nullable() })) })
export type Trial = z.infer<typeof trial>

/** What people write into the record of a breach. Nothing is ever changed: the newest entry of a field counts. */
export const breachField = z.enum([
  'aware',
  'nature',
  'categories',
  'persons',
  'records',
  'consequences',
  'measures',
  'contact',
  'decision',
  'note',
  'closed',
  'reopened',
])
export type BreachField = z.infer<typeof breachField>

/** What was decided: the judgement is of people, the program only keeps it. */
export const breachChoice = z.enum(['notify-authority', 'no-notification', 'notified-authority', 'notify-persons', 'notified-persons'])
export type BreachChoice = z.infer<typeof breachChoice>

export const breachEntryRequest = z
  .object({
    field: breachField,
    text: z.string().trim().min(1).max(8000),
    /** For `persons` and `records`: approximately. */
    number: z.number().int().min(0).max(1e12).optional(),
    /** For `aware`: since when the controller knows. */
    time: timestamp.optional(),
    /** For `decision`. */
    choice: breachChoice.optional(),
  })
  .refine(({ field, time }) => (field === 'aware') === (time !== undefined), 'aware has a time, nothing else has')
  .refine(({ field, choice }) => (field === 'decision') === (choice !== undefined), 'a decision has a choice, nothing else has')
  .refine(
    ({ field, number }) => number === undefined || field === 'persons' || field === 'records',
    'only persons and records have a number',
  )
export type BreachEntryRequest = z.infer<typeof breachEntryRequest>

export const breachEntry = z.object({
  number: z.number().int(),
  at: timestamp,
  by: z.string(),
  /** `begun` and `alarm` are written by the site. */
  field: z.enum([...breachField.options, 'begun', 'alarm']),
  text: z.string(),
  count: z.number().nullable(),
  time: timestamp.nullable(),
  choice: breachChoice.nullable(),
})
export type BreachEntry = z.infer<typeof breachEntry>

export const breach = z.object({
  id: hexId,
  /** Code of the alarm that began it; `person` when somebody did. */
  code: z.string(),
  state: z.enum(['open', 'closed']),
  begun: timestamp,
  /** From here the 72 hours of Art. 33 count. */
  aware: timestamp,
  deadline: timestamp,
  decided: z.boolean(),
  entries: z.array(breachEntry),
})
export type Breach = z.infer<typeof breach>
export const breachListing = z.object({ breaches: z.array(breach.omit({ entries: true })) })
export type BreachListing = z.infer<typeof breachListing>

const page = { after: z.string().max(100).optional(), limit: z.coerce.number().int().min(1).max(200).optional() }
export const alarmQuery = z.object({ ...page, state: z.enum(['active', 'all']).optional() })
export type AlarmQuery = z.infer<typeof alarmQuery>
export const deliveryQuery = z.object({ ...page, state: z.enum(['waiting', 'failed', 'all']).optional() })
export type DeliveryQuery = z.infer<typeof deliveryQuery>

export const alarmRoutes = {
  alarms: {
    method: 'GET',
    path: '/api/v1/alarms',
    query: alarmQuery,
    answer: alarmListing,
    status: 200,
    summary: 'Alarms, the newest first; state=all with those that are over',
  },
  acknowledgeAlarm: {
    method: 'POST',
    path: '/api/v1/alarms/:id/acknowledge',
    body: z.object({ note: z.string().trim().max(1000).default('') }),
    answer: alarm,
    status: 200,
    summary: 'A person has seen an alarm: it is not told again unless it becomes worse or comes back',
  },
  alarmSettings: {
    method: 'GET',
    path: '/api/v1/alarms/settings',
    answer: alarmSettings,
    status: 200,
    summary: 'When alarms ring, and who is told how; without any secret',
  },
  setAlarmSettings: {
    method: 'PUT',
    path: '/api/v1/alarms/settings',
    body: alarmSettings,
    answer: alarmSettings,
    status: 200,
    summary: 'Replace the settings of alarms; secrets are files in the folder secrets of the home',
  },
  tryAlarms: {
    method: 'POST',
    path: '/api/v1/alarms/try',
    body: z.object({ channel: z.enum(['mail', 'webhook']) }),
    answer: trial,
    status: 200,
    summary: 'Send a message of trial now, and say what became of it',
  },
  deliveries: {
    method: 'GET',
    path: '/api/v1/alarms/deliveries',
    query: deliveryQuery,
    answer: deliveryListing,
    status: 200,
    summary: 'Messages about alarms: what arrived, what waits, what failed and why',
  },
  breaches: {
    method: 'GET',
    path: '/api/v1/breaches',
    answer: breachListing,
    status: 200,
    summary: 'Records of breaches (GDPR Art. 33), the newest first',
  },
  beginBreach: {
    method: 'POST',
    path: '/api/v1/breaches',
    body: z.object({ text: z.string().trim().min(1).max(8000) }),
    answer: breach,
    status: 201,
    summary: 'Begin the record of a breach that no alarm knows of',
  },
  breach: {
    method: 'GET',
    path: '/api/v1/breaches/:id',
    answer: breach,
    status: 200,
    summary: 'One record with everything that was ever written into it',
  },
  addToBreach: {
    method: 'POST',
    path: '/api/v1/breaches/:id/entries',
    body: breachEntryRequest,
    answer: breach,
    status: 201,
    summary: 'Write into a record; what stood there before stays',
  },
} as const
