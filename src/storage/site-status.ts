// The health of the vault as people are told it.
import type { Status } from '#contract'
import { parseCapabilities } from './enrolment.ts'
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
      messages: [],
    }
  }
  if (request.check) await running.places.checkAll()
  const status = await vaultStatus(running.vault, running.log, running.dealer)
  const probed = await core.db.kysely.selectFrom('location').select(['location', 'capabilities']).execute()
  const locations = status.locations.map((one) => ({
    ...one,
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
  return { ...status, locations, messages: [...status.messages, ...hints] }
}
