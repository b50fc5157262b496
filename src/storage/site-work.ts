// Long work on the vault that people watch and can cancel.
import { Failure } from '#base'
import type { ScrubDepth, Task } from '#contract'
import { statEntry } from './listing.ts'
import { userPath } from './paths.ts'
import { repair } from './repair.ts'
import { scrub } from './scrub.ts'
import type { SiteCore } from './site-core.ts'

export function siteWork(core: SiteCore) {
  return {
    async scrub(request: { readonly depth: ScrubDepth; readonly location?: string | undefined }): Promise<Task> {
      const { vault, places } = core.open()
      const place = request.location === undefined ? undefined : places.named(request.location)
      const whole = request.depth === 'full'
      if (whole && place !== undefined)
        throw new Failure('base.invalid', {
          detail: 'a full read asks several locations for each file, so it cannot be for one alone',
          next: 'Leave the location away, or check its tags.',
        })
      const title = whole ? 'Read every file' : place === undefined ? 'Check all locations' : `Check ${place.label}`
      return core.tasks.start('scrub', title, whole ? 'files' : 'fragments', async (tools) => {
        const findings = await scrub(vault, { depth: request.depth, place, ...tools })
        core.changed()
        return findings
      })
    },

    async repair(request: { readonly path?: string | undefined }): Promise<Task> {
      const { vault, log } = core.open()
      const path = request.path === undefined ? undefined : userPath(request.path)
      if (path !== undefined) await statEntry(core.db.kysely, path, core.open().places.present)
      vault.parts.signer()
      return core.tasks.start('repair', 'Repair', 'fragments', async (tools) => {
        const findings = await repair(vault, { path, ...tools })
        // New places of the catalogue's own fragments, and a head for the place that was filled.
        await log.flush().catch(() => undefined)
        await log.writeHead().catch(() => undefined)
        core.sweepLater()
        core.changed()
        return findings
      })
    },

    tasks(): Task[] {
      return core.tasks.list()
    },

    task(id: string): Task {
      return core.tasks.get(id)
    },

    cancelTask(id: string): Promise<Task> {
      return core.tasks.cancel(id)
    },
  }
}
