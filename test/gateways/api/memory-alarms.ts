// The alarms of the door in memory: those of the real room, over a database in memory.
import { tmpdir } from 'node:os'
import type { AlarmDoor } from '../../../src/access/door-alarms.ts'
import { alarmDoor } from '../../../src/access/door-alarms.ts'
import { Authority } from '../../../src/access/authority.ts'
import { systemClock } from '#base'
import { alarmMigrations, type AlarmTables, type Alarms, openAlarms } from '#alarms'
import { openDatabase } from '#database'
import { memoryLedger, nobody } from '../../access/support.ts'

/** Opened at the first call: most tests ring nothing. */
export function memoryAlarms(note: (name: string) => void): AlarmDoor {
  let opened: Promise<AlarmDoor> | undefined
  const open = (): Promise<AlarmDoor> => (opened ??= roomInMemory().then((alarms) => alarmDoor({ alarms, authority: atTheMachine() })))
  const noted =
    <N extends keyof AlarmDoor>(name: N) =>
    async (...given: Parameters<AlarmDoor[N]>): Promise<Awaited<ReturnType<AlarmDoor[N]>>> => {
      note(name)
      const door = await open()
      return (door[name] as (...list: typeof given) => Promise<Awaited<ReturnType<AlarmDoor[N]>>>)(...given)
    }
  return {
    alarms: noted('alarms'),
    acknowledgeAlarm: noted('acknowledgeAlarm'),
    alarmSettings: noted('alarmSettings'),
    setAlarmSettings: noted('setAlarmSettings'),
    tryAlarms: noted('tryAlarms'),
    deliveries: noted('deliveries'),
    breaches: noted('breaches'),
    breach: noted('breach'),
    beginBreach: noted('beginBreach'),
    addToBreach: noted('addToBreach'),
  }
}

/** May everything, and writes nowhere. */
function atTheMachine(): Authority {
  const { audit } = memoryLedger()
  return new Authority({ storage: undefined as never, ledger: audit, people: nobody, clock: systemClock }, { kind: 'local', name: 'test' })
}

export async function roomInMemory(): Promise<Alarms> {
  const db = await openDatabase<AlarmTables>({ file: ':memory:', migrations: alarmMigrations })
  return openAlarms({ db, clock: systemClock, secretsFolder: tmpdir(), log: { warn: () => {} } })
}
