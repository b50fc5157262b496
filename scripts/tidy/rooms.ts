// The rooms table of the house as data: which room stands on which floor, and what it may use.

export interface Room {
  readonly folder: string
  readonly floor: number
  /** Rooms that it may use beside the open floors below it. */
  readonly uses: readonly string[] | 'everything'
  /** The only rooms it may use, where that is less than the floors below. */
  readonly only?: readonly string[]
  /** Runs in a browser, in an enclave and in an auditor's verifier as it is: no Node modules, clock or chance of its own. */
  readonly pure?: true
  /** A folder beside it that belongs to it. */
  readonly annex?: string
}

export const rooms: Readonly<Record<string, Room>> = {
  base: { folder: 'src/base', floor: 0, uses: [], pure: true },

  crypto: { folder: 'src/crypto', floor: 1, uses: [], pure: true, annex: 'src/kernels' },

  format: { folder: 'src/format', floor: 2, uses: [], pure: true },
  contract: { folder: 'src/contract', floor: 2, uses: [], pure: true },
  database: { folder: 'src/database', floor: 2, uses: [] },

  storage: { folder: 'src/storage', floor: 3, uses: [] },
  audit: { folder: 'src/audit', floor: 3, uses: [] },
  identity: { folder: 'src/identity', floor: 3, uses: [] },
  alarms: { folder: 'src/alarms', floor: 3, uses: [] },
  governance: { folder: 'src/governance', floor: 3, uses: [], pure: true },
  links: { folder: 'src/links', floor: 3, uses: [] },
  mpc: { folder: 'src/mpc', floor: 3, uses: [] },
  attestation: { folder: 'src/attestation', floor: 3, uses: [] },
  sandbox: { folder: 'src/sandbox', floor: 3, uses: [] },

  access: { folder: 'src/access', floor: 4, uses: ['governance', 'audit', 'storage', 'identity', 'alarms'] },

  studies: { folder: 'src/studies', floor: 5, uses: ['access', 'attestation', 'mpc', 'sandbox'] },

  gateways: { folder: 'src/gateways', floor: 6, uses: ['access', 'studies', 'identity'] },
  cli: { folder: 'src/cli', floor: 6, uses: [], only: ['contract', 'format', 'crypto', 'base'] },
  web: { folder: 'web', floor: 6, uses: [], only: ['contract', 'format', 'crypto', 'base'] },

  main: { folder: 'src/main', floor: 7, uses: 'everything' },
  embed: { folder: 'src/embed', floor: 8, uses: 'everything' },
}

/** Rooms on this floor and below are for everyone above them. */
const OPEN_FLOOR = 2

/** The only pure files that touch Node, or the clock. */
export const pureExceptions: ReadonlySet<string> = new Set(['src/base/clock.ts', 'src/crypto/primitives-node.ts'])

/** The name of the room that a path of the repository lies in. */
export function roomOf(path: string): string | undefined {
  for (const [name, { folder, annex }] of Object.entries(rooms)) {
    if (path.startsWith(`${folder}/`) || (annex !== undefined && path.startsWith(`${annex}/`))) return name
  }
  return undefined
}

export function mayUse(from: string, to: string): boolean {
  const user = rooms[from]
  const used = rooms[to]
  if (!user || !used) return false
  if (from === to) return true
  if (user.uses === 'everything') return used.floor < user.floor
  if (user.only) return user.only.includes(to)
  return user.uses.includes(to) || (used.floor <= OPEN_FLOOR && used.floor < user.floor)
}
