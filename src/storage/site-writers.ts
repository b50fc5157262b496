// Several sites that write one vault: a key to carry over, adding and removing writers, joining, and what people acknowledge.
import { Failure } from '#base'
import type { Task, WriterKey, WriterList } from '#contract'
import { dealerFingerprint } from '#format'
import { Findings } from './findings.ts'
import { majorityOf } from './head-look.ts'
import { passphraseOf } from './passphrase.ts'
import { tryAll } from './probing.ts'
import { readCatalogue } from './recover.ts'
import { createSigningKeys, readPublicSigningKeys } from './signing-keys.ts'
import type { SiteCore } from './site-core.ts'
import { type RecoverRequest, takeUp } from './site-making.ts'
import { writerKeyLine } from './writers.ts'

export function siteWriters(core: SiteCore) {
  return {
    /** The public keys of this site as one line; they are made when there are none. */
    async writerKey(request: { readonly passphrase?: string | undefined }): Promise<WriterKey> {
      const { home } = core.options
      const found = await readPublicSigningKeys({ home }).catch((error: unknown) => {
        if (error instanceof Failure && error.code === 'storage.no-vault') return undefined
        throw error
      })
      if (found !== undefined) return { line: writerKeyLine(found.keys), fingerprint: found.fingerprint }
      const passphrase = request.passphrase ?? core.options.passphrase
      const { keys } = await createSigningKeys({ home, passphrase: passphrase === undefined ? undefined : passphraseOf(passphrase) })
      return { line: writerKeyLine(keys), fingerprint: dealerFingerprint(keys) }
    },

    async writers(): Promise<WriterList> {
      const { log } = core.open()
      const book = log.writers
      const added = new Map(
        (await core.db.kysely.selectFrom('writer_certificate').select(['fingerprint', 'added']).execute()).map((row) => [
          row.fingerprint,
          row.added,
        ]),
      )
      const root = dealerFingerprint(book.root)
      const row =
        (state: 'active' | 'removed') =>
        (one: { readonly fingerprint: string; readonly name: string; readonly by: readonly string[] }) => ({
          fingerprint: one.fingerprint,
          name: one.name,
          role: one.fingerprint === root ? ('dealer' as const) : ('writer' as const),
          state,
          own: one.fingerprint === book.own,
          certifiedBy: one.by.map((print) => book.nameOf(print)),
          added: added.get(one.fingerprint) ?? null,
        })
      const alarms = await core.db.kysely.selectFrom('head_alarm').selectAll().orderBy('at').execute()
      return {
        writers: [...[...book.roll.active.values()].map(row('active')), ...[...book.roll.revoked.values()].map(row('removed'))],
        alarms,
      }
    },

    /** Certifies the keys of another site. Resolves when the head that says so stands at more than half of the locations. */
    async addWriter(request: { readonly line: string; readonly name: string }): Promise<WriterList> {
      const { vault, log } = core.open()
      const signer = vault.parts.signer()
      await requireHonest(core)
      await log.flush()
      await log.writers.add(request, signer)
      await log.writeHead()
      core.changed()
      return this.writers()
    },

    /** For good: what the writer dealt stays readable, what it writes from now on is not believed. */
    async removeWriter(request: { readonly writer: string }): Promise<WriterList> {
      const { vault, log } = core.open()
      const signer = vault.parts.signer()
      await log.flush()
      await log.writers.remove(request.writer, signer)
      await log.writeHead()
      core.changed()
      return this.writers()
    },

    async acknowledge(request: { readonly alarm: string }): Promise<WriterList> {
      core.open()
      const gone = await core.db.kysely.deleteFrom('head_alarm').where('id', '=', request.alarm).executeTakeFirst()
      if (gone.numDeletedRows === 0n) throw new Failure('storage.absent', { detail: 'there is no such alarm' })
      core.changed()
      return this.writers()
    },

    /** Takes part in a vault that another site made, which must have added the key of this one. */
    join: (request: Omit<RecoverRequest, 'asWriter'>): Promise<Task> =>
      takeUp(
        core,
        { ...request, asWriter: true },
        {
          title: 'Join the vault',
          next: 'Use an empty QUORATE_HOME to join another one.',
          read: async ({ running, found }) => {
            const findings = new Findings()
            await readCatalogue(running.vault, found.head, findings)
            await tryAll(core, running)
            return findings
          },
          begun: ({ log }) => log.follow(),
        },
      ),
  }
}

/** Two heads of one epoch can only be told apart where more than half of the locations refuse to write a name twice. */
async function requireHonest(core: SiteCore): Promise<void> {
  const { places, log } = core.open()
  await tryAll(core, { places })
  const voters = await log.voters()
  if (voters.length >= majorityOf(places.all.map(({ id }) => id))) return
  const others = places.all.filter(({ id }) => !voters.includes(id)).map(({ label }) => label)
  throw new Failure('storage.locations', {
    detail: `several sites cannot write this vault: only ${voters.length} of its ${places.all.length} locations keep a name from being written twice (not: ${others.join(', ')})`,
    culprits: others,
    next: 'Add locations that do, or try them again: quorate location test',
  })
}
