// location add and test.
import { Failure } from '#base'
import type { Capabilities } from '#contract'
import { EXIT } from '../exit-codes.ts'
import { locationSpec } from '../location-specs.ts'
import type { Context } from '../context.ts'
import { printable } from '../words.ts'

export async function addLocation(context: Context, typed: string, options: { readonly label: string | undefined }): Promise<number> {
  const added = await context.client.addLocation(locationSpec(context.host, typed, options.label), { signal: context.signal })
  await context.out.value(added)
  await context.out.line(`${printable(added.label)} is location ${added.x}. Fill it with what the vault holds: quorate change`)
  return EXIT.done
}

/** Tries what locations promise; one that does not keep it makes the exit code `degraded`. */
export async function testLocations(context: Context, named: readonly string[]): Promise<number> {
  const all =
    named.length > 0 ? named : (await context.client.status({}, { signal: context.signal })).locations.map((location) => location.label)
  let [failed, degraded] = [false, false]
  for (const location of all) {
    try {
      const found = await context.client.testLocation({ location }, { signal: context.signal })
      await tellCapabilities(context, location, found)
      degraded ||= found.findings.length > 0
    } catch (error) {
      if (context.signal.aborted || !(error instanceof Failure)) throw error
      failed = true
      await context.out.problem(error, { location })
    }
  }
  return failed ? EXIT.failed : degraded ? EXIT.degraded : EXIT.done
}

async function tellCapabilities(context: Context, location: string, found: Capabilities): Promise<void> {
  await context.out.value({ location, ...found })
  const verdict = found.findings.length === 0 ? 'keeps its promises' : 'does not keep its promises'
  await context.out.line(`${printable(location)}: ${verdict} (${Math.round(found.latencyMs)} ms)`)
  for (const finding of found.findings) await context.out.line(`  ${printable(finding)}`)
}
