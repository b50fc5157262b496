// Splitting and combining bytes: the kernel against packages that do the same, on the same bytes, in shuffled rounds.
// "quorate" is the whole way of a caller: secret copied in, randomness drawn, shares copied out. "quorate kernel" is the kernel alone.
import { randomInt } from 'node:crypto'
import { combine as peerCombine, split as peerSplit } from 'shamir-secret-sharing'
import secrets from 'secrets.js-grempe'
import { assert, equalPublic, fromHex, toHex } from '#base'
import { createKernel, type Kernel } from '#crypto'
import { random, randomFill } from '#crypto/primitives'

const LENGTH_BYTES = 65536
const ROUNDS = 5
/** CPU time of one measurement of a fast contender: the clock of a thread may tick in steps of 4 ms. */
const MEASURE_MS = 120
const SHAPES = [
  { k: 2, n: 3 },
  { k: 3, n: 5 },
  { k: 5, n: 9 },
] as const

interface Contender {
  readonly peer: string
  run(): void | Promise<void>
}

interface Shape {
  readonly k: number
  readonly n: number
}

/** Emits one row per shape, direction and contender: CPU nanoseconds per secret byte, and how many times ours it is. */
export async function run(emit: (row: Record<string, unknown>) => void): Promise<void> {
  const kernel = await createKernel({ arenaBytes: 16 * 2 ** 20 })
  const secret = random(LENGTH_BYTES)
  for (const shape of SHAPES) {
    const { split, combine } = await contenders(kernel, secret, shape)
    for (const [direction, all] of Object.entries({ split, combine })) {
      for (const row of await compared(all)) {
        emit({ bench: 'core', case: `${direction} ${shape.k}-of-${shape.n}`, bytes: LENGTH_BYTES, build: kernel.build, ...row })
      }
    }
    kernel.wipe()
  }
}

/** Every contender has shown that it gives the secret back before it is measured. */
async function contenders(kernel: Kernel, secret: Uint8Array, { k, n }: Shape): Promise<{ split: Contender[]; combine: Contender[] }> {
  const rows = (count: number): number[] => Array.from({ length: count }, () => kernel.alloc(LENGTH_BYTES))
  const [source, target] = rows(2) as [number, number]
  const coefficients = rows(k - 1)
  const shares = rows(n)
  const view = (row: number): Uint8Array => kernel.memory.subarray(row, row + LENGTH_BYTES)
  const outside = shares.map(() => new Uint8Array(LENGTH_BYTES))
  const back = new Uint8Array(LENGTH_BYTES)
  const xs = Array.from({ length: k }, (_, index) => n - index)

  const splitAlone = (): void => kernel.split({ k, n, secret: source, random: coefficients, shares, length: LENGTH_BYTES })
  const splitWhole = (): void => {
    view(source).set(secret)
    for (const row of coefficients) randomFill(view(row))
    splitAlone()
    for (const [index, row] of shares.entries()) outside[index]!.set(view(row))
  }
  const combineAlone = (): void => kernel.combine({ xs, shares: xs.map((x) => shares[x - 1]!), secret: target, length: LENGTH_BYTES })
  const combineWhole = (): void => {
    for (const x of xs) view(shares[x - 1]!).set(outside[x - 1]!)
    combineAlone()
    back.set(view(target))
  }
  splitWhole()
  combineWhole()
  assert(equalPublic(back, secret), 'the kernel gives the secret back')

  const ofShamir = (await peerSplit(secret, n, k)).slice(n - k)
  assert(equalPublic(await peerCombine(ofShamir), secret), 'shamir-secret-sharing gives the secret back')

  const hex = toHex(secret)
  const ofSecrets = secrets.share(hex, n, k).slice(n - k)
  assert(equalPublic(fromHex(secrets.combine(ofSecrets)), secret), 'secrets.js-grempe gives the secret back')

  return {
    split: [
      { peer: 'quorate', run: splitWhole },
      { peer: 'quorate kernel', run: splitAlone },
      { peer: 'shamir-secret-sharing', run: async () => void (await peerSplit(secret, n, k)) },
      { peer: 'secrets.js-grempe', run: () => void secrets.share(hex, n, k) },
    ],
    combine: [
      { peer: 'quorate', run: combineWhole },
      { peer: 'quorate kernel', run: combineAlone },
      { peer: 'shamir-secret-sharing', run: async () => void (await peerCombine(ofShamir)) },
      { peer: 'secrets.js-grempe', run: () => void secrets.combine(ofSecrets) },
    ],
  }
}

/** The first contender is ours: ratios are medians of the ratios inside each round. */
async function compared(all: readonly Contender[]): Promise<Record<string, unknown>[]> {
  const repetitions = new Map<Contender, number>()
  for (const contender of all) repetitions.set(contender, await repetitionsOf(contender))
  const rounds: Map<Contender, number>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const found = new Map<Contender, number>()
    for (const contender of shuffled(all)) found.set(contender, await nsPerByte(contender, repetitions.get(contender)!))
    rounds.push(found)
  }
  const ours = all[0]!
  return all.map((contender) => ({
    peer: contender.peer,
    nsPerByte: rounded(median(rounds.map((found) => found.get(contender)!))),
    ratio: rounded(median(rounds.map((found) => found.get(contender)! / found.get(ours)!))),
    rounds: ROUNDS,
    repetitions: repetitions.get(contender),
  }))
}

/** How often to run for a measurement that lasts; the runs before it also let the engine optimise. */
async function repetitionsOf(contender: Contender): Promise<number> {
  for (let count = 1; ; count *= 4) {
    const begun = performance.now()
    for (let turn = 0; turn < count; turn++) await contender.run()
    const ms = performance.now() - begun
    if (ms > MEASURE_MS / 2) return Math.max(1, Math.round((count * MEASURE_MS) / ms))
  }
}

async function nsPerByte(contender: Contender, repetitions: number): Promise<number> {
  const begun = cpuMicroseconds()
  for (let turn = 0; turn < repetitions; turn++) {
    const waiting = contender.run()
    if (waiting) await waiting
  }
  return ((cpuMicroseconds() - begun) * 1000) / (repetitions * LENGTH_BYTES)
}

/** Of this thread where Node can tell, else of the process. */
function cpuMicroseconds(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage()
  return user + system
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const other = randomInt(last + 1)
    ;[order[last], order[other]] = [order[other]!, order[last]!]
  }
  return order
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

/** Four figures. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

if (import.meta.main) await run((row) => console.log(JSON.stringify(row)))
