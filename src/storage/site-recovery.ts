// Against a loss: files adopted from elsewhere, and drills that show whether the vault comes back.
import { Failure } from '#base'
import { drillReport, type DrillAnswer, type DrillVerdict, type ImportPreview, type Task } from '#contract'
import { canonicalJson, dealerFingerprint } from '#format'
import { createFolder } from './catalogue.ts'
import { drill, lastDrill, verifyDrill } from './drill.ts'
import { drillPage } from './drill-page.ts'
import { decodeKeys } from './head.ts'
import { importFiles, type ImportInto, previewImport } from './import.ts'
import { openPlainSource, type PlainSource } from './import-source.ts'
import { parseLocation } from './locations/from-config.ts'
import { userPath } from './paths.ts'
import type { SiteCore } from './site-core.ts'

export interface DrillWish {
  readonly people: readonly [string, string]
  readonly files: number
  readonly location?: string | undefined
}

export function siteRecovery(core: SiteCore, files: ImportInto) {
  return {
    async previewImport(request: { readonly source: string; readonly path: string }): Promise<ImportPreview> {
      core.open().vault.parts.signer()
      userPath(request.path)
      const source = await plainSource(core, request.source)
      try {
        return await previewImport(source, core.clock)
      } finally {
        await source.close()
      }
    },

    async importFiles(request: { readonly source: string; readonly path: string; readonly check: boolean }): Promise<Task> {
      const { vault, log } = core.open()
      vault.parts.signer()
      const path = userPath(request.path)
      const source = await plainSource(core, request.source)
      return core.tasks.start('import', `Import ${source.label}`, 'files', async (tools) => {
        try {
          if (path !== '/') await core.change(path, (tx) => createFolder(tx, path, new Date(core.clock.now()).toISOString()))
          const findings = await importFiles(files, { source, path, check: request.check, ...tools })
          await log.flush().catch(() => undefined)
          return findings
        } finally {
          core.changed()
          await source.close()
        }
      })
    },

    async drill(request: DrillWish): Promise<Task> {
      const { vault, places } = core.open()
      vault.parts.signer()
      const [one, two] = request.people.map((name) => name.normalize('NFC').trim().toLowerCase())
      if (one === '' || two === '' || one === two)
        throw new Failure('base.invalid', { detail: 'a drill names the two people who stand by', next: 'Name two different people.' })
      const blocked = request.location === undefined ? undefined : places.named(request.location)
      return core.tasks.start('drill', 'Recovery drill', 'files', (tools) => drill(core, { ...request, blocked }, tools))
    },

    async lastDrill(): Promise<DrillAnswer> {
      core.open()
      const report = await lastDrill(core)
      if (report === undefined) throw new Failure('storage.absent', { detail: 'there was no drill yet', next: 'Begin one: quorate drill' })
      const page = drillPage(report, dealerFingerprint(decodeKeys(report.dealer)))
      return { report: `${canonicalJson(report)}\n`, page, passed: report.passed }
    },

    async verifyDrill(request: { readonly report: unknown }): Promise<DrillVerdict> {
      const { vault } = core.open()
      const parsed = drillReport.safeParse(request.report)
      if (!parsed.success) throw new Failure('base.invalid', { detail: 'this is no report of a drill' })
      const dealer = verifyDrill(parsed.data)
      const known = vault.parts.dealers.map(dealerFingerprint)
      return {
        genuine: dealer !== undefined,
        dealer: dealer ?? '',
        ours: dealer !== undefined && known.includes(dealer) && parsed.data.vault.id === vault.row.vault,
        passed: dealer !== undefined && parsed.data.passed,
      }
    },
  }
}

async function plainSource(core: SiteCore, spec: string): Promise<PlainSource> {
  const { home, variables } = core.options
  return openPlainSource(parseLocation(spec, { from: home }), { home, variables, clock: core.clock })
}
