// What tests of misbehaving locations ask again and again: is everything well, what did a scrub or a repair find.
import assert from 'node:assert/strict'
import type { Fault } from '../../src/storage/locations/faulty.ts'
import type { FaultySite } from './faulty-site.ts'
import { finished, pattern } from './site.ts'

export const HANG: Fault = { kind: 'hang' }
export const BYTES = pattern(700_000, 7)

/** Findings of a scrub by tags. */
export async function scrubbed(site: FaultySite, location?: string): Promise<string[]> {
  const task = await finished(site.storage, site.storage.scrub({ depth: 'tags', ...(location === undefined ? {} : { location }) }))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  return task.report!.findings.map((one) => `${one.location} ${one.kind} ${one.path}`).toSorted()
}

export async function repaired(site: FaultySite): Promise<{ fragments: number; findings: string[] }> {
  const task = await finished(site.storage, site.storage.repair({}))
  assert.equal(task.state, 'done', JSON.stringify(task.problem))
  return { fragments: task.report!.repairedFragments, findings: task.report!.findings.map((one) => `${one.location} ${one.kind}`) }
}

/** Everything is well: no findings, no orphans, full redundancy. */
export async function healthy(site: FaultySite): Promise<void> {
  assert.deepEqual(await scrubbed(site), [])
  const status = await site.storage.status({ check: true })
  assert.equal(status.health, 'healthy', JSON.stringify(status.messages))
  assert.equal(status.repairDue, 0)
}

/** Fragments of files only, by path: the names the catalogue knows at a place. */
export async function nameAt(site: FaultySite, path: string, label: string): Promise<string> {
  const { fragments } = await site.storage.placement({ path })
  return fragments.find((one) => one.label === label)!.name!
}

export function harm(site: FaultySite, label: string, name: string, ...offsets: number[]): void {
  const bytes = site.at[label]!.memory.objects.get(name)!
  for (const at of offsets) bytes[at < 0 ? bytes.length + at : at]! ^= 0x11
}
