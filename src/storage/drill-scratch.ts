// The folder in the home where a drill brings files back; it holds plaintext, so that nothing of it may stay.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

const SCRATCH = /^\.drill-[0-9a-f]{32}$/

export function drillScratch(id: string): string {
  return `.drill-${id}`
}

/** Removes what a drill that was cut off left in the home. */
export async function sweepDrills(home: string): Promise<void> {
  for (const name of await readdir(home)) if (SCRATCH.test(name)) await rm(join(home, name), { recursive: true, force: true })
}
