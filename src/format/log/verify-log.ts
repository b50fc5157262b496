// Recomputes a whole log from its files and says what is proven, or the first entry that is wrong. The same for an auditor's folder and for the page.
import { equalPublic, Failure, fromBase64, isFailure } from '#base'
import { type Leaf, opensPersonal, parseLeaf, type PersonalLine } from './leaf.ts'
import { hashAt, parseBundle, TILE_HEIGHT, TILE_WIDTH, tilePath, tilesOf, type Tile } from './tiles.ts'
import { Edge, HASH_BYTES, leafHash } from './tree.ts'

/** Files of a log by their paths below its prefix (`checkpoint`, `tile/...`). */
export interface LogFiles {
  /** Undefined where there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>
}

export interface Head {
  readonly size: number
  readonly root: Uint8Array
}

/** What is wrong, and the entries among which it is: one where it can be said exactly. */
export interface LogProblem {
  readonly first: number
  readonly last: number
  readonly what: 'entry' | 'absent' | 'moved' | 'framing' | 'tile' | 'head' | 'since' | 'personal'
  readonly detail: string
}

export interface LogVerdict {
  /** Undefined when everything is as it was signed. */
  readonly problem: LogProblem | undefined
  /** Entries that were recomputed. */
  readonly entries: number
  /** Of the personal fields beside them: how many open their commitment, how many are erased. Neither = not given. */
  readonly opened: number
  readonly erased: number
}

export interface VerifyLogRequest {
  readonly files: LogFiles
  /** Its signatures are verified before, by the caller. */
  readonly head: Head
  /** An older head that must be the beginning of this log. */
  readonly since?: Head | undefined
  /** In the order of their entries. */
  readonly personal?: AsyncIterable<PersonalLine> | undefined
  /** Every entry that is right so far, in order. */
  readonly entry?: ((leaf: Leaf) => void) | undefined
  readonly progress?: ((done: number, of: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export async function verifyLog(request: VerifyLogRequest): Promise<LogVerdict> {
  const { head, since, signal } = request
  const edge = new Edge()
  const personal = personalOf(request.personal)
  const tiles = tileReader(request.files)
  const verdict = (problem?: LogProblem): LogVerdict => ({ problem, entries: edge.size, opened: personal.opened, erased: personal.erased })
  if (since !== undefined && since.size > head.size)
    return verdict({
      ...between(head.size, since.size),
      what: 'since',
      detail: `the older head has ${since.size} entries, this one only ${head.size}`,
    })
  try {
    const { full, partial } = tilesOf(0, head.size)
    const count = full + (partial > 0 ? 1 : 0)
    const widthOf = (index: number): number => (index < full ? TILE_WIDTH : partial)
    let next = count > 0 ? readRun(request.files, 0, widthOf(0)) : undefined
    for (let index = 0; index < count; index++) {
      if (signal?.aborted === true) throw new Failure('base.cancelled')
      const run = await next!
      // Read ahead: over a network the way there and back is what takes the time.
      next = index + 1 < count ? readRun(request.files, index + 1, widthOf(index + 1)) : undefined
      next?.catch(() => {})
      if (since?.size === 0 && index === 0) judgeSince(edge, since)
      for (const [n, entry] of run.entries.entries()) {
        const hash = leafHash(entry)
        const at = index * TILE_WIDTH + n
        if (!equalPublic(hash, hashAt(run.hashes, n)))
          throw new Wrong({ ...one(at), what: 'entry', detail: `entry ${at} does not have the hash that ${run.path} says` })
        const leaf = readLeaf(entry, at)
        await personal.judge(leaf)
        const whole: { level: number; index: number; root: Uint8Array }[] = []
        edge.append(hash, (level, node, root) => void (level % TILE_HEIGHT === 0 && whole.push({ level, index: node, root })))
        for (const node of whole) await tiles.judge(node, head.size)
        if (since !== undefined && edge.size === since.size) judgeSince(edge, since)
        request.entry?.(leaf)
      }
      request.progress?.(edge.size, head.size)
    }
    if (!equalPublic(edge.root(), head.root))
      throw new Wrong({
        ...between(since?.size ?? 0, head.size),
        what: 'head',
        detail: 'the entries and their hashes fit together, but they are not those that were signed: the whole was computed anew',
      })
    await personal.end()
    return verdict()
  } catch (error) {
    if (error instanceof Wrong) return verdict(error.problem)
    throw error
  }
}

function judgeSince(edge: Edge, since: Head): void {
  if (!equalPublic(edge.root(), since.root))
    throw new Wrong({
      ...between(0, since.size),
      what: 'since',
      detail: `the first ${since.size} entries are not those that the older head was signed over`,
    })
}

interface Run {
  readonly entries: readonly Uint8Array[]
  readonly hashes: Uint8Array
  readonly path: string
}

/** Entries and leaf hashes of one run of up to 256. */
async function readRun(files: LogFiles, index: number, width: number): Promise<Run> {
  const bundle = tilePath({ kind: 'entries', level: 0, index, width })
  const path = tilePath({ kind: 'hashes', level: 0, index, width })
  const [bytes, hashes] = await Promise.all([files.read(bundle), files.read(path)])
  const span = { first: index * TILE_WIDTH, last: index * TILE_WIDTH + width - 1 }
  if (bytes === undefined) throw new Wrong({ ...span, what: 'absent', detail: `${bundle} is missing` })
  if (hashes === undefined) throw new Wrong({ ...span, what: 'absent', detail: `${path} is missing` })
  if (hashes.length !== width * HASH_BYTES) throw new Wrong({ ...span, what: 'framing', detail: `${path} does not hold ${width} hashes` })
  try {
    return { entries: parseBundle(bytes, width), hashes, path }
  } catch (error) {
    if (isFailure(error, 'audit.framing')) throw new Wrong({ ...span, what: 'framing', detail: `${bundle}: ${error.message}` })
    throw error
  }
}

function readLeaf(entry: Uint8Array, at: number): Leaf {
  let leaf: Leaf
  try {
    leaf = parseLeaf(entry)
  } catch (error) {
    if (isFailure(error, 'audit.framing')) throw new Wrong({ ...one(at), what: 'framing', detail: `entry ${at}: ${error.message}` })
    throw error
  }
  if (leaf.index !== at)
    throw new Wrong({ ...one(at), what: 'moved', detail: `in the place of entry ${at} stands the one that was entry ${leaf.index}` })
  return leaf
}

/** Judges the stored hashes above the leaves, the tile of each level read once. */
function tileReader(files: LogFiles) {
  const current = new Map<number, { readonly index: number; readonly bytes: Uint8Array | undefined; readonly path: string }>()
  const tileOf = async (tile: Tile) => {
    const known = current.get(tile.level)
    if (known?.index === tile.index) return known
    const path = tilePath(tile)
    const read = { index: tile.index, bytes: await files.read(path), path }
    current.set(tile.level, read)
    return read
  }
  return {
    judge: async (node: { readonly level: number; readonly index: number; readonly root: Uint8Array }, size: number): Promise<void> => {
      const level = node.level / TILE_HEIGHT
      const index = Math.floor(node.index / TILE_WIDTH)
      const { full, partial } = tilesOf(level, size)
      const { bytes, path } = await tileOf({ kind: 'hashes', level, index, width: index < full ? TILE_WIDTH : partial })
      const spans = TILE_WIDTH ** level
      const span = { first: node.index * spans, last: (node.index + 1) * spans - 1 }
      if (bytes === undefined) throw new Wrong({ ...span, what: 'absent', detail: `${path} is missing` })
      if (!equalPublic(hashAt(bytes, node.index % TILE_WIDTH), node.root))
        throw new Wrong({ ...span, what: 'tile', detail: `${path} does not have the hash of the entries below it` })
    },
  }
}

/** Walks the personal fields beside the entries. */
function personalOf(lines: AsyncIterable<PersonalLine> | undefined) {
  const source = lines?.[Symbol.asyncIterator]()
  let line: PersonalLine | undefined
  let over = source === undefined
  let last = -1
  const counts = { opened: 0, erased: 0 }
  const advance = async (): Promise<void> => {
    if (source === undefined || over || line !== undefined) return
    const next = await source.next()
    if (next.done === true) {
      over = true
      return
    }
    if (next.value.index <= last)
      throw new Wrong({ ...one(next.value.index), what: 'personal', detail: 'the personal fields are not in the order of the entries' })
    line = next.value
    last = line.index
  }
  return {
    get opened() {
      return counts.opened
    },
    get erased() {
      return counts.erased
    },
    judge: async (leaf: Leaf): Promise<void> => {
      await advance()
      if (line?.index !== leaf.index) return
      if ('erased' in line) counts.erased += 1
      else {
        if (!opensPersonal(leaf, saltOf(line.salt), line.fields))
          throw new Wrong({
            ...one(leaf.index),
            what: 'personal',
            detail: `the personal fields of entry ${leaf.index} are not those that it was written with`,
          })
        counts.opened += 1
      }
      line = undefined
    },
    end: async (): Promise<void> => {
      await advance()
      if (line !== undefined)
        throw new Wrong({
          ...one(line.index),
          what: 'personal',
          detail: `there are personal fields of an entry ${line.index} that does not exist`,
        })
    },
  }
}

function saltOf(text: string): Uint8Array {
  try {
    return fromBase64(text)
  } catch {
    return new Uint8Array(0)
  }
}

/** What ends the walk; never leaves this file. */
class Wrong extends Error {
  override readonly name = 'Wrong'
  readonly problem: LogProblem

  constructor(problem: LogProblem) {
    super(problem.detail)
    this.problem = problem
  }
}

function one(at: number): { first: number; last: number } {
  return { first: at, last: at }
}

function between(first: number, end: number): { first: number; last: number } {
  return { first, last: Math.max(first, end - 1) }
}
