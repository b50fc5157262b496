// Runs histories one after the other in a process of its own, where randomness is seeded: run.ts FIRST COUNT EPOCHS COMMANDS TWO. Of TWO histories one has two sites. Says a line of JSON each.
import { registerHooks } from 'node:module'

const [first, count, epochs, commands, two] = process.argv.slice(2).map(Number) as [number, number, number, number, number]
const seeded = new URL('./seeded-primitives.ts', import.meta.url).href

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '#crypto/primitives' ? { url: seeded, format: 'module-typescript', shortCircuit: true } : next(specifier, context),
})

const { simulate } = await import('./store.sim.ts')
const { simulateTwoSites } = await import('./two-sites.sim.ts')
const { seedRandomness } = await import('./seeded-primitives.ts')

for (let seed = first; seed < first + count; seed++) {
  seedRandomness(seed)
  try {
    const { commands: done, history, trace } = await (seed % two === 0 ? simulateTwoSites : simulate)(seed, { epochs, commands })
    console.log(JSON.stringify({ seed, commands: done, trace, ...(count === 1 ? { history } : {}) }))
  } catch (error) {
    console.log(JSON.stringify({ seed, failure: describe(error) }))
    process.exitCode = 1
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.stack ?? error.message}${error.cause === undefined ? '' : `\ncaused by ${describe(error.cause)}`}`
}
