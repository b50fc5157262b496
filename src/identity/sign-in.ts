// Signing in. Whatever is wrong, the answer is the same, and so is the work.
import { Failure, limits } from '#base'
import { change, dayOf, type Core, type Tx } from './core.ts'
import { accountIn } from './names.ts'
import type { PasskeySite } from './passkeys.ts'
import { digestOf } from './secrets.ts'
import { openSession, type Arrival, type OpenedSession } from './sessions.ts'
import { normalRecoveryCode } from './recovery-codes.ts'
import { stepOf, TOTP_SECRET_BYTES } from './totp.ts'

export interface SignIns {
  byPasskey(request: { readonly site: PasskeySite; readonly response: unknown } & Arrival): Promise<OpenedSession>
  byPassword(request: { readonly account: string; readonly password: string; readonly code: string } & Arrival): Promise<OpenedSession>
}

export function createSignIns(core: Core): SignIns {
  const refusals = createRefusals(core)
  return {
    async byPasskey({ site, response, ...arrival }) {
      const proven = await core.passkeys.proven({ site, response, known: (credential) => knownPasskey(core, credential) })
      if (proven === undefined) throw await refusals.note('passkey', undefined)
      const { passkey, counter, copied } = proven
      const opened = await change(core, async (tx, record) => {
        // Of two answers of one count only the first is taken: a copy of a key shows itself by that.
        const { numUpdatedRows } = await tx
          .updateTable('identity_passkey')
          .set({ counter, copied: copied ? 1 : 0, used_day: dayOf(core.clock.now()) })
          .where('credential', '=', passkey.credential)
          .where('counter', '=', passkey.counter)
          .executeTakeFirst()
        const person = await activePerson(tx, passkey.person)
        if (Number(numUpdatedRows) !== 1 || person === undefined) return undefined
        await record({
          kind: 'sign-in',
          actor: { kind: 'person', ...person },
          subject: person.id,
          outcome: 'done',
          facts: { by: 'passkey' },
        })
        return openSession(core, tx, person.id, arrival)
      })
      if (opened === undefined) throw await refusals.note('passkey', passkey.person)
      return opened
    },

    async byPassword({ account, password, code, ...arrival }) {
      const name = account.trim().toLowerCase()
      const attempt = core.attempts.begin(name, arrival.address)
      const known = await knownPassword(core, name)
      let right: boolean
      try {
        right = await core.passwords.verify(password, known?.hash)
      } catch (error) {
        attempt.withdrawn()
        throw error
      }
      const secret = known === undefined ? new Uint8Array(TOTP_SECRET_BYTES) : await core.sealing.open(known.totp, `totp ${known.person}`)
      const step = stepOf(secret, code, { now: core.clock.now(), spent: known?.totp_step ?? 0 })
      const opened = !right || known === undefined ? undefined : await enter(core, known.person, { step, code }, arrival)
      if (opened === undefined) throw await refusals.note('password', known?.person)
      attempt.succeeded()
      return opened
    },
  }
}

/** The second factor is spent in the same transaction in which the session begins. */
async function enter(
  core: Core,
  id: string,
  second: { readonly step: number | undefined; readonly code: string },
  arrival: Arrival,
): Promise<OpenedSession | undefined> {
  return change(core, async (tx, record) => {
    const person = await activePerson(tx, id)
    if (person === undefined) return undefined
    const by = (await spendStep(tx, id, second.step))
      ? 'password'
      : (await spendRecoveryCode(tx, id, second.code))
        ? 'recovery-code'
        : undefined
    if (by === undefined) return undefined
    await tx
      .updateTable('identity_password')
      .set({ used_day: dayOf(core.clock.now()) })
      .where('person', '=', id)
      .execute()
    await record({ kind: 'sign-in', actor: { kind: 'person', ...person }, subject: id, outcome: 'done', facts: { by } })
    return openSession(core, tx, id, arrival)
  })
}

async function spendStep(tx: Tx, person: string, step: number | undefined): Promise<boolean> {
  if (step === undefined) return false
  const { numUpdatedRows } = await tx
    .updateTable('identity_password')
    .set({ totp_step: step })
    .where('person', '=', person)
    .where('totp_step', '<', step)
    .executeTakeFirst()
  return Number(numUpdatedRows) === 1
}

async function spendRecoveryCode(tx: Tx, person: string, code: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('identity_recovery_code')
    .where('digest', '=', digestOf(normalRecoveryCode(code)))
    .where('person', '=', person)
    .executeTakeFirst()
  return Number(numDeletedRows) === 1
}

async function activePerson(tx: Tx, id: string): Promise<{ readonly id: string; readonly name: string } | undefined> {
  return tx.selectFrom('identity_person').select(['id', 'name']).where('id', '=', id).where('state', '=', 'active').executeTakeFirst()
}

async function knownPasskey(
  core: Core,
  credential: string,
): Promise<{ credential: string; person: string; publicKey: Uint8Array; counter: number } | undefined> {
  if (!/^[\w-]{1,2000}$/.test(credential)) return undefined
  const row = await core.db.kysely.selectFrom('identity_passkey').selectAll().where('credential', '=', credential).executeTakeFirst()
  if (row === undefined) return undefined
  return { credential, person: row.person, publicKey: row.public_key, counter: row.counter }
}

async function knownPassword(
  core: Core,
  typed: string,
): Promise<{ person: string; hash: string; totp: Uint8Array; totp_step: number } | undefined> {
  const account = accountIn(typed)
  if (account === undefined) return undefined
  return core.db.kysely
    .selectFrom('identity_password')
    .innerJoin('identity_person', 'identity_person.id', 'identity_password.person')
    .where('identity_person.account', '=', account)
    .where('identity_person.state', '=', 'active')
    .select(['identity_password.person', 'identity_password.hash', 'identity_password.totp', 'identity_password.totp_step'])
    .executeTakeFirst()
}

/** Refused sign-ins are written down, but strangers cannot fill the record: beyond so many a minute they are only counted. */
function createRefusals(core: Core): { note(by: 'passkey' | 'password', person: string | undefined): Promise<Failure> } {
  let window = { since: 0, noted: 0 }
  let unnoted = 0
  return {
    async note(by, person) {
      const now = core.clock.now()
      if (now - window.since >= 60_000) window = { since: now, noted: 0 }
      if (window.noted < limits.refusalsNotedPerMinute) {
        window.noted++
        const facts = unnoted === 0 ? { by } : { by, unnoted }
        unnoted = 0
        await core.db.transaction((tx) =>
          core.events.record(tx, {
            kind: 'sign-in',
            actor: { kind: 'nobody' },
            subject: person,
            outcome: 'refused',
            code: 'identity.refused',
            facts,
          }),
        )
      } else unnoted++
      return new Failure('identity.refused', {
        detail: by === 'passkey' ? 'This passkey does not open this site.' : 'Account name, password or code is wrong.',
        next:
          by === 'passkey'
            ? 'Choose another passkey, or ask an administrator for a new link.'
            : 'Try again; a code counts once, so wait for the next one.',
      })
    },
  }
}
