// The capability probe: what a location promises is tried with small objects before anything depends on it.
import { random } from '#crypto/primitives'
import { type Clock, Failure, equalPublic, systemClock, toHex } from '#base'
import type { Capabilities, FragmentName, Location } from './contract.ts'

/** What the probe needs below the contract, since the contract hides what a dishonest store does. */
export interface ProbeTools {
  /** One conditional write with no look beforehand and no reading back. `unsupported` = the store says it cannot. */
  createRaw(name: FragmentName, bytes: Uint8Array): Promise<'created' | 'refused' | 'unsupported'>
  /** Begins a write in parts, abandons it, and says whether nothing is left. */
  abortedWriteLeavesNothing(name: FragmentName): Promise<boolean>
  /** Whether an object put under a lock is held by it; `not asked` where the location is used without. */
  objectLock(name: FragmentName): Promise<'holds' | 'does not hold' | 'not asked'>
}

interface ProbeOptions {
  readonly clock?: Clock
  readonly signal?: AbortSignal | undefined
}

/**
 * Tries the promises one by one. A promise that is broken becomes a finding; a location that cannot be reached, is full or
 * refuses our credentials is a failure, since then nothing is known of it.
 */
export async function probeLocation(location: Location, tools: ProbeTools, options: ProbeOptions = {}): Promise<Capabilities> {
  const clock = options.clock ?? systemClock
  const signal = { signal: options.signal }
  const folder = `probe/${toHex(random(16))}`
  const name = `${folder}/once`
  const first = random(4096)
  const second = random(4096)
  const findings: string[] = []

  const startedAt = clock.now()
  const honestCreate = await tryCreate(location, tools, { name, first, second, findings, signal })
  const latencyMs = Math.max(0, Math.round((clock.now() - startedAt) / 4))
  const rangedRead = await tried(findings, 'It cannot read part of an object.', async () => {
    const source = await location.open(name, { ...signal, tailBytes: 100 })
    try {
      const middle = new Uint8Array(1000)
      await source.read(1500, middle, signal)
      await source.read(0, new Uint8Array(1), signal)
      const whole = new Uint8Array(source.sizeBytes)
      await source.read(0, whole, signal)
      return equalPublic(middle, whole.subarray(1500, 2500)) && equalPublic(source.tail, whole.subarray(-100))
    } finally {
      await source.close()
    }
  })
  const listAfterWrite = await tried(findings, 'Its list does not show what was just written.', async () => {
    const page = await location.list({ prefix: `${folder}/` }, signal)
    return page.entries.some((entry) => entry.name === name && entry.sizeBytes === first.length)
  })
  const multipartAbort = await tried(
    findings,
    'It keeps what was left of a write that was abandoned, or cannot show that it does not.',
    () => tools.abortedWriteLeavesNothing(`${folder}/abandoned`),
  )
  const lock = await tools.objectLock(`${folder}/locked`)
  const objectLock = lock === 'holds'
  if (lock === 'does not hold') findings.push('Its object lock does not hold what was put under it.')
  const deletes = await tryDiscard(location, { name, findings, signal })
  return { honestCreate, rangedRead, listAfterWrite, multipartAbort, deletes, objectLock, latencyMs, findings }
}

interface Trial {
  readonly name: FragmentName
  readonly findings: string[]
  readonly signal: { readonly signal: AbortSignal | undefined }
}

async function tryCreate(
  location: Location,
  tools: ProbeTools,
  trial: Trial & { readonly first: Uint8Array; readonly second: Uint8Array },
): Promise<boolean> {
  const written = await tools.createRaw(trial.name, trial.first)
  if (written === 'unsupported') {
    trial.findings.push('It has no conditional write: it cannot tell two writers of one name apart, so it may not vote on the vault head.')
    await location.putIfAbsent(trial.name, trial.first, trial.signal)
    return false
  }
  if (written === 'refused') {
    trial.findings.push('It refused to write a name that it does not have.')
    await location.putIfAbsent(trial.name, trial.first, trial.signal)
    return false
  }
  const again = await tools.createRaw(trial.name, trial.second)
  const kept = await readBack(location, trial)
  if (again === 'refused' && equalPublic(kept, trial.first)) return true
  trial.findings.push(
    equalPublic(kept, trial.second)
      ? 'It overwrote an object although it was asked not to: it may not vote on the vault head.'
      : 'It accepted a second write of one name although it was asked not to: it may not vote on the vault head.',
  )
  return false
}

async function readBack(location: Location, trial: Trial): Promise<Uint8Array> {
  const source = await location.open(trial.name, { ...trial.signal, tailBytes: 4096 })
  await source.close()
  return source.tail
}

async function tryDiscard(location: Location, trial: Trial): Promise<boolean> {
  const answer = await location.discard(trial.name, trial.signal).catch((error: unknown) => {
    if (error instanceof Failure && error.kind === 'denied') return 'kept' as const
    throw error
  })
  const left = await location.head(trial.name, trial.signal)
  if (answer === 'gone' && left === undefined) return true
  if (answer === 'gone') trial.findings.push('It says that it deleted an object, but still has it.')
  else
    trial.findings.push(
      'It does not let us delete: what is discarded stays there and costs space. A vault runs all the same, and whoever steals this key cannot delete either.',
    )
  return false
}

/** Runs one trial; an answer of the store that breaks the contract is a finding, trouble with reaching it is a failure. */
async function tried(findings: string[], finding: string, trial: () => Promise<boolean>): Promise<boolean> {
  let good = false
  try {
    good = await trial()
  } catch (error) {
    if (!(error instanceof Failure) || !BROKEN_PROMISES.has(error.code)) throw error
  }
  if (!good) findings.push(finding)
  return good
}

const BROKEN_PROMISES = new Set<string>(['location.absent', 'location.truncated', 'location.lies', 'location.unsupported'])
