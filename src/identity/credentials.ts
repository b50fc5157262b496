// What a person signs in with, and the secrets of programs that act for them: added, shown once, listed, removed.
import { randomBytes } from 'node:crypto'
import { Failure, fromUtf8, limits, rfc3339, utf8 } from '#base'
import type { Credentials, MadeSecret, PasswordRequest, SecretRequest, TotpSetup } from '#contract'
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server'
import { isUniqueViolation } from '#database'
import { change, type Core, type Tx } from './core.ts'
import type { IdentityActor, IdentityEvent } from './events.ts'
import { nameOf } from './names.ts'
import type { MadePasskey, PasskeySite } from './passkeys.ts'
import { assertGoodPassword } from './password.ts'
import { noSuch, presentPerson } from './people.ts'
import { newRecoveryCodes, normalRecoveryCode } from './recovery-codes.ts'
import { digestOf, newAccessKeyName, newId, newSecret, PREFIXES } from './secrets.ts'
import { base32, stepOf, totpAddress, TOTP_SECRET_BYTES } from './totp.ts'
import type { IdentitySecretTable } from './tables.ts'

type Record = (event: IdentityEvent) => Promise<void>

const DAY_MS = 86_400_000

export async function credentialsOf(core: Core, person: string): Promise<Credentials> {
  const { kysely } = core.db
  const passkeys = await kysely.selectFrom('identity_passkey').selectAll().where('person', '=', person).orderBy('created').execute()
  const password = await kysely.selectFrom('identity_password').selectAll().where('person', '=', person).executeTakeFirst()
  const codes = await kysely.selectFrom('identity_recovery_code').select('digest').where('person', '=', person).execute()
  const providers = await kysely.selectFrom('identity_external').selectAll().where('person', '=', person).orderBy('created').execute()
  const secrets = await kysely
    .selectFrom('identity_secret')
    .selectAll()
    .where('person', '=', person)
    .orderBy('created')
    .orderBy('name')
    .execute()
  return {
    passkeys: passkeys.map(({ id, name, site, copied, created, used_day }) => ({
      id,
      name,
      site,
      copied: copied === 1,
      created: rfc3339(created),
      used: used_day,
    })),
    password: password === undefined ? null : { created: rfc3339(password.created), used: password.used_day, recoveryCodes: codes.length },
    providers: providers.map(({ issuer, created, used_day }) => ({ issuer, created: rfc3339(created), used: used_day })),
    secrets: secrets.map((row) => ({
      id: row.id,
      means: row.means,
      name: row.name,
      scope: { rights: row.rights, path: row.path },
      created: rfc3339(row.created),
      expires: row.expires === null ? null : rfc3339(row.expires),
      expired: row.expires !== null && row.expires <= core.clock.now(),
      used: row.used_day,
      accessKey: row.means === 'access-key' ? row.lookup : null,
    })),
  }
}

export async function passkeyOptions(core: Core, person: string, site: PasskeySite): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { kysely } = core.db
  const found = await kysely
    .selectFrom('identity_person')
    .selectAll()
    .where('id', '=', person)
    .where('state', '!=', 'left')
    .executeTakeFirst()
  if (found === undefined) throw noSuch('person')
  const passkeys = await kysely.selectFrom('identity_passkey').select(['credential', 'site']).where('person', '=', person).execute()
  return core.passkeys.registrationOptions({
    site,
    siteName: 'Quorate',
    person: { id: person, account: found.account ?? found.name, name: found.name },
    existing: passkeys.filter((one) => one.site === site.host).map(({ credential }) => credential),
  })
}

/** Inside the transaction of whoever lets it be added. */
export async function insertPasskey(
  core: Core,
  tx: Tx,
  request: { readonly person: string; readonly made: MadePasskey; readonly name: string; readonly site: PasskeySite },
): Promise<void> {
  const { person, made, name, site } = request
  const { length } = await tx.selectFrom('identity_passkey').select('id').where('person', '=', person).execute()
  if (length >= limits.credentialsOfPersonMax) throw tooMany()
  try {
    await tx
      .insertInto('identity_passkey')
      .values({
        credential: made.credential,
        id: newId(),
        person,
        public_key: made.publicKey,
        counter: made.counter,
        transports: JSON.stringify(made.transports),
        name: nameOf(name),
        site: site.host,
        copied: made.copied ? 1 : 0,
        created: core.clock.now(),
        used_day: null,
      })
      .execute()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Failure('identity.passkey', { detail: 'This passkey is known here already.' })
  }
}

export async function addPasskey(
  core: Core,
  actor: IdentityActor,
  request: { readonly person: string; readonly site: PasskeySite; readonly response: unknown; readonly name: string },
): Promise<Credentials> {
  const made = await core.passkeys.register(request)
  await change(core, async (tx, record) => {
    await presentPerson(tx, request.person)
    await insertPasskey(core, tx, { ...request, made })
    await added(record, actor, request.person, 'passkey')
  })
  return credentialsOf(core, request.person)
}

/** A secret for an authenticator app. It comes back sealed in `setup`, with the first code that the app makes; nothing is kept meanwhile. */
export async function totpSetup(core: Core, request: { readonly person: string; readonly site: PasskeySite }): Promise<TotpSetup> {
  const { person, site } = request
  const found = await core.db.kysely.selectFrom('identity_person').select(['account', 'name']).where('id', '=', person).executeTakeFirst()
  if (found === undefined) throw noSuch('person')
  const secret = new Uint8Array(randomBytes(TOTP_SECRET_BYTES))
  const until = core.clock.now() + limits.totpSetupMs
  const text = JSON.stringify({ secret: Buffer.from(secret).toString('hex'), until })
  return {
    secret: base32(secret),
    address: totpAddress({ secret, account: found.account ?? found.name, site: `Quorate ${site.host}` }),
    setup: Buffer.from(await core.sealing.seal(utf8(text), `totp setup ${person}`)).toString('base64url'),
  }
}

/** A password that may be set: checked and hashed before a transaction begins, since that takes time. */
export async function preparePassword(
  core: Core,
  person: { readonly id: string; readonly account: string; readonly name: string },
  { password, setup, code }: PasswordRequest,
): Promise<{ readonly hash: string; readonly totp: Uint8Array; readonly step: number }> {
  assertGoodPassword(password, person.account, person.name)
  const secret = await openSetup(core, person.id, setup)
  const step = stepOf(secret, code, { now: core.clock.now(), spent: 0 })
  if (step === undefined) {
    throw new Failure('identity.code', {
      detail: 'This is not the code that the app shows now.',
      next: 'Type the newest code. If it happens again, compare the clock of the phone with that of the site.',
    })
  }
  return { hash: await core.passwords.hash(password), totp: await core.sealing.seal(secret, `totp ${person.id}`), step }
}

async function openSetup(core: Core, person: string, setup: string): Promise<Uint8Array> {
  let opened: Uint8Array
  try {
    opened = await core.sealing.open(new Uint8Array(Buffer.from(setup, 'base64url')), `totp setup ${person}`)
  } catch (error) {
    throw setupEnded(error)
  }
  const { secret, until } = JSON.parse(fromUtf8(opened)) as { secret: string; until: number }
  if (until <= core.clock.now()) throw setupEnded()
  return new Uint8Array(Buffer.from(secret, 'hex'))
}

function setupEnded(cause?: unknown): Failure {
  return new Failure('identity.code', { detail: 'Setting up the app took too long.', next: 'Begin with a new QR code.', cause })
}

/** Inside the transaction of whoever lets it be set. Answers recovery codes, which nobody can see again. */
export async function insertPassword(
  core: Core,
  tx: Tx,
  person: string,
  prepared: { readonly hash: string; readonly totp: Uint8Array; readonly step: number },
): Promise<readonly string[]> {
  await tx.deleteFrom('identity_password').where('person', '=', person).execute()
  await tx.deleteFrom('identity_recovery_code').where('person', '=', person).execute()
  await tx
    .insertInto('identity_password')
    .values({ person, hash: prepared.hash, totp: prepared.totp, totp_step: prepared.step, created: core.clock.now(), used_day: null })
    .execute()
  const codes = newRecoveryCodes()
  for (const code of codes)
    await tx
      .insertInto('identity_recovery_code')
      .values({ digest: digestOf(normalRecoveryCode(code)), person })
      .execute()
  return codes
}

export async function setPassword(
  core: Core,
  actor: IdentityActor,
  request: PasswordRequest & { readonly person: string; readonly session: string | undefined },
): Promise<readonly string[]> {
  const { kysely } = core.db
  const found = await kysely.selectFrom('identity_person').selectAll().where('id', '=', request.person).executeTakeFirst()
  if (found === undefined) throw noSuch('person')
  const prepared = await preparePassword(core, { id: found.id, account: found.account ?? '', name: found.name }, request)
  return change(core, async (tx, record) => {
    await presentPerson(tx, request.person)
    const codes = await insertPassword(core, tx, request.person, prepared)
    // Whoever knew the old password may sit in another session.
    let others = tx.deleteFrom('identity_session').where('person', '=', request.person)
    if (request.session !== undefined) others = others.where('id', '!=', request.session)
    await others.execute()
    await added(record, actor, request.person, 'password')
    return codes
  })
}

/** The last way to sign in stays. */
export async function removeSignIn(
  core: Core,
  actor: IdentityActor,
  request: { readonly person: string; readonly passkey: string } | { readonly person: string; readonly password: true },
): Promise<Credentials> {
  const { person } = request
  await change(core, async (tx, record) => {
    const passkeys = await tx.selectFrom('identity_passkey').select('id').where('person', '=', person).execute()
    const password = await tx.selectFrom('identity_password').select('person').where('person', '=', person).executeTakeFirst()
    const external = await tx.selectFrom('identity_external').select('subject').where('person', '=', person).execute()
    const isThere = 'passkey' in request ? passkeys.some(({ id }) => id === request.passkey) : password !== undefined
    if (!isThere) throw noSuch('credential')
    if (passkeys.length + external.length + (password === undefined ? 0 : 1) === 1) {
      throw new Failure('identity.last-credential', {
        detail: 'This is the only way to sign in that is left.',
        next: 'Add another passkey or a password first.',
      })
    }
    if ('passkey' in request)
      await tx.deleteFrom('identity_passkey').where('id', '=', request.passkey).where('person', '=', person).execute()
    else {
      await tx.deleteFrom('identity_password').where('person', '=', person).execute()
      await tx.deleteFrom('identity_recovery_code').where('person', '=', person).execute()
    }
    await record({
      kind: 'remove-credential',
      actor,
      subject: person,
      outcome: 'done',
      facts: { credential: 'passkey' in request ? 'passkey' : 'password' },
    })
  })
  return credentialsOf(core, person)
}

/** The secret is in the answer and cannot be seen again. */
export async function makeSecret(core: Core, actor: IdentityActor, person: string, request: SecretRequest): Promise<MadeSecret> {
  const { means, days } = request
  const name = nameOf(request.name)
  const path = scopePath(request.scope.path)
  const now = core.clock.now()
  const secret = newSecret(PREFIXES[means])
  const id = newId()
  const row: IdentitySecretTable = {
    id,
    lookup: means === 'access-key' ? newAccessKeyName() : digestOf(secret),
    person,
    means,
    name,
    rights: request.scope.rights,
    path,
    created: now,
    expires: days === null ? null : now + days * DAY_MS,
    used_day: null,
    sealed: means === 'access-key' ? await core.sealing.seal(utf8(secret), `access key ${id}`) : null,
  }
  await change(core, async (tx, record) => {
    const { state } = await presentPerson(tx, person)
    if (state !== 'active') throw noSuch('person')
    const { length } = await tx.selectFrom('identity_secret').select('id').where('person', '=', person).execute()
    if (length >= limits.credentialsOfPersonMax) throw tooMany()
    await tx.insertInto('identity_secret').values(row).execute()
    await record({
      kind: 'add-credential',
      actor,
      subject: person,
      outcome: 'done',
      facts: { credential: means, id, rights: row.rights, ...(row.expires === null ? {} : { expires: rfc3339(row.expires) }) },
    })
  })
  return {
    id,
    means,
    secret,
    accessKey: means === 'access-key' ? row.lookup : null,
    expires: row.expires === null ? null : rfc3339(row.expires),
  }
}

export async function removeSecret(
  core: Core,
  actor: IdentityActor,
  { person, id }: { readonly person: string; readonly id: string },
): Promise<Credentials> {
  await change(core, async (tx, record) => {
    const gone = await tx
      .deleteFrom('identity_secret')
      .where('id', '=', id)
      .where('person', '=', person)
      .returning('means')
      .executeTakeFirst()
    if (gone === undefined) throw noSuch('credential')
    await record({ kind: 'remove-credential', actor, subject: person, outcome: 'done', facts: { credential: gone.means, id } })
  })
  return credentialsOf(core, person)
}

/** A folder by its one name: what a scope compares must not be said in two ways. */
function scopePath(path: string): string {
  const parts = path.split('/').slice(1)
  if (path !== '/' && parts.at(-1) === '') parts.pop()
  if (path !== '/' && (path.includes('\0') || !path.isWellFormed() || parts.some((part) => part === '' || part === '.' || part === '..')))
    throw new Failure('identity.name', { detail: 'This is no path of a folder: it begins with / and has no empty part, no . and no ..' })
  return path === '/' ? path : `/${parts.join('/')}`.normalize('NFC')
}

async function added(record: Record, actor: IdentityActor, person: string, credential: string): Promise<void> {
  await record({ kind: 'add-credential', actor, subject: person, outcome: 'done', facts: { credential } })
}

function tooMany(): Failure {
  return new Failure('identity.limit', {
    detail: `A person has at most ${limits.credentialsOfPersonMax} of these.`,
    next: 'Remove one that is not used any more.',
  })
}
