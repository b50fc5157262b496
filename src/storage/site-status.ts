// The health of the vault as people are told it.
import type { Status } from '#contract'
import { changeMessages } from './site-change.ts'
import { dealerFingerprint } from '#format'
import { parseCapabilities } from './enrolment.ts'
import { drillMessages, kitMessages } from './kit.ts'
import { headStatus } from './head-status.ts'
import { lockMessages } from './health-locks.ts'
import { hiddenCounts } from './hidden.ts'
import { keptMessages } from './kept-names.ts'
import { allowedPlaces, isMassLoss } from './health-debt.ts'
import { lostPromises, probeRows } from './probing.ts'
import type { SiteCore } from './site-core.ts'
import { vaultStatus } from './status.ts'

/** `check` asks every location now. Before there is a vault all is empty. */
export async function siteStatus(core: SiteCore, request: { readonly check: boolean }): Promise<Status> {
  const running = core.running
  if (running === undefined) {
    return {
      health: 'none',
      vault: null,
      files: 0,
      folders: 0,
      bytes: 0,
      repairDue: 0,
      withoutRedundancy: 0,
      locations: [],
      recoveryPoint: { sequence: 0, at: null, pendingChanges: 0 },
      head: null,
      messages: [],
    }
  }
  if (request.check) {
    await running.places.checkAll()
    // A failure of it is among what the status says.
    await running.log.follow().catch(() => undefined)
  }
  const status = await vaultStatus(running.vault, running.log, dealerFingerprint(running.log.writers.root))
  const { head, messages } = await headStatus(core, running)
  const probed = await core.db.kysely.selectFrom('location').select(['location', 'capabilities']).execute()
  const probes = await probeRows(core)
  const locations = status.locations.map((one) => ({
    ...one,
    probe: probes.get(one.id) ?? null,
    capabilities: parseCapabilities(probed.find(({ location }) => location === one.id)?.capabilities),
  }))
  const hints = locations.flatMap(({ label, capabilities }) =>
    capabilities === null || capabilities.findings.length === 0
      ? []
      : [
          {
            severity: 'hint' as const,
            code: 'location.lies',
            text: `${label}: ${capabilities.findings.join(' ')}`,
            next: 'It keeps fragments; what it cannot promise is not relied on.',
          },
        ],
  )
  const allowed = await allowedPlaces(running.vault)
  const hidden = await hiddenCounts(running.vault)
  const alarms = locations
    .filter(({ id, state, fragments }) => state !== 'empty' && state !== 'unreachable' && isMassLoss(fragments) && !allowed.has(id))
    .map(({ id, label, fragments: { lost, corrupt } }) => ({
      severity: 'alarm' as const,
      code: 'storage.mass-loss',
      text: `${label} lost or changed ${lost + corrupt} fragments at once: somebody may have emptied or overwritten it.${hidden[id] === undefined ? '' : ` The bucket still keeps older versions of at least ${hidden[id]} of them.`} It is not filled again by itself.`,
      next: `Find out what happened at ${label} and change its access key; then fill it: quorate repair.${hidden[id] === undefined ? '' : ' Or bring the older versions back at the provider first, and check: quorate scrub.'}`,
    }))
  const prepared = [...(await kitMessages(core)), ...(await drillMessages(core, core.clock))]
  const alarmed = [...alarms, ...lostPromises(locations)]
  const locks = await lockMessages(running.vault)
  const kept = await keptMessages(running.vault)
  return {
    ...status,
    head,
    locations,
    messages: [...alarmed, ...status.messages, ...messages, ...(await changeMessages(core)), ...locks, ...hints, ...prepared, ...kept],
  }
}
