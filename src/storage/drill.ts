// A recovery drill: random files brought back into a clean folder with each location blocked in turn, by the product and by recover.py, and compared.
import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Failure, rfc3339, toBase64, utf8, concat } from '#base'
import { type DrillReport, drillReport } from '#contract'
import { randomFill, verifySignatures } from '#crypto/primitives'
import { canonicalBytes, canonicalJson, dealerFingerprint, newId } from '#format'
import { Findings, type Progress } from './findings.ts'
import { decodeKeys, encodeKeys } from './head.ts'
import { drillScratch } from './drill-scratch.ts'
import type { FragmentSource } from './location.ts'
import { within } from './patience.ts'
import type { Place } from './place.ts'
import type { SiteCore } from './site-core.ts'
import type { DealTable } from './tables.ts'

export interface DrillRequest {
  /** Who stands by. */
  readonly people: readonly [string, string]
  readonly files: number
  /** Only this place is blocked; undefined: each in turn. */
  readonly blocked?: Place | undefined
}

interface Chosen {
  readonly deal: DealTable
  readonly fragments: readonly { readonly place: Place; readonly x: number; readonly name: string }[]
}

const CONTEXT = 'quorate/1 drill'
const RECOVER = resolve(import.meta.dirname, '../../recovery/recover.py')
/** A drill writes plaintext of so much at most, for as long as it takes. */
const BYTES_MAX = 2 ** 30
const TRIED_MAX = 20
const COPY_BYTES = 2 ** 20
const PYTHON_MS = 30 * 60_000

/** One round for each location that is blocked. What could not be brought back is a finding; the report, signed, is kept for `lastDrill`. */
export async function drill(
  core: SiteCore,
  request: DrillRequest,
  tools: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<Findings> {
  const { vault, places } = core.open()
  const signer = vault.parts.signer()
  const { home } = core.options
  const findings = new Findings()
  const began = rfc3339(core.clock.now())
  const chosen = await choose(core, request.files)
  if (chosen.length === 0)
    throw new Failure('storage.absent', { detail: 'there is no file to bring back', next: 'Store some files first.' })
  const scratch = join(home, drillScratch(newId()))
  await mkdir(scratch, { mode: 0o700 })
  try {
    const python = await pythonVersion()
    const rounds: DrillReport['rounds'] = []
    const blocks = request.blocked === undefined ? places.all : [request.blocked]
    tools.progress.total(blocks.length * chosen.length)
    const copies = await copyFragments(core, chosen, { scratch, signal: tools.signal })
    const keyFiles: string[] = []
    for (const [index, keys] of vault.parts.dealers.entries()) {
      keyFiles.push(join(scratch, `keys-${index}.json`))
      await writeFile(keyFiles[index]!, JSON.stringify(encodeKeys(keys)))
    }
    for (const blocked of blocks) {
      const byProduct = join(scratch, `product-${blocked.x}`)
      await mkdir(byProduct)
      let began = core.clock.now()
      const read = new Map<string, boolean>()
      for (const one of chosen) {
        if (tools.signal.aborted) throw new Failure('base.cancelled')
        read.set(
          one.deal.deal,
          await readWithout(core, one, { blocked, file: join(byProduct, one.deal.deal), signal: tools.signal, findings }),
        )
        tools.progress.add(1)
      }
      const productMs = core.clock.now() - began
      began = core.clock.now()
      const others = [...copies].filter(([id]) => id !== blocked.id).map(([, folder]) => folder)
      const out = join(scratch, `python-${blocked.x}`)
      const targets =
        python === null
          ? new Map<string, string>()
          : await recoverPy(others, { k: vault.row.threshold, keyFiles, out, signal: tools.signal })
      const recoverMs = core.clock.now() - began
      let equal = 0
      for (const { deal } of chosen) {
        const theirs = targets.get(deal.deal)
        const same = read.get(deal.deal) === true && theirs !== undefined && (await equalFiles(join(byProduct, deal.deal), theirs))
        if (same) equal += 1
        else if (python !== null && read.get(deal.deal) === true)
          findings.add({
            location: blocked.label,
            path: deal.object,
            fragment: '',
            kind: theirs === undefined ? 'unreadable' : 'differs',
            detail:
              theirs === undefined
                ? `recover.py did not bring it back without ${blocked.label}`
                : `recover.py brought back other bytes without ${blocked.label}`,
          })
      }
      const came = [...read.values()].filter(Boolean).length
      rounds.push({
        blocked: blocked.label,
        location: blocked.id,
        files: chosen.length,
        product: came,
        recoverPy: targets.size,
        equal,
        productMs,
        recoverMs,
      })
      await rm(byProduct, { recursive: true })
      await rm(out, { recursive: true, force: true })
    }
    if (python === null)
      findings.add({
        location: '',
        path: '',
        fragment: '',
        kind: 'incomplete',
        detail: 'python3 (3.8 or later) is not here: recover.py was not tried',
      })
    const bare: Omit<DrillReport, 'signature'> = {
      v: 1,
      kind: 'quorate drill',
      vault: {
        id: vault.row.vault,
        name: vault.row.name,
        threshold: vault.row.threshold,
        count: places.all.length,
        layout: vault.row.layout,
      },
      people: [...request.people],
      began,
      ended: rfc3339(core.clock.now()),
      product: core.options.productVersion,
      python,
      objects: chosen.map(({ deal }) => deal.object),
      bytes: chosen.reduce((sum, { deal }) => sum + deal.size, 0),
      rounds,
      passed: python !== null && rounds.every(({ files, equal }) => equal === files),
      dealer: encodeKeys(signer.keys),
    }
    const signatures = signer.sign(concat(utf8(CONTEXT), canonicalBytes(bare)), CONTEXT)
    const report: DrillReport = {
      ...bare,
      signature: { mldsa65: toBase64(signatures.mldsa65), ed25519: toBase64(signatures.ed25519) },
    }
    await core.db.transaction(async (tx) => {
      await tx.deleteFrom('drill').execute()
      await tx
        .insertInto('drill')
        .values({ id: 1, ended: report.ended, passed: report.passed ? 1 : 0, report: canonicalJson(report) })
        .execute()
    })
    findings.checkedFragments = chosen.length * rounds.length
    findings.checkedBytes = report.bytes * rounds.length
    core.changed()
    return findings
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** The newest report, or undefined before the first drill. */
export async function lastDrill(core: SiteCore): Promise<DrillReport | undefined> {
  const row = await core.db.kysely.selectFrom('drill').select('report').executeTakeFirst()
  return row?.report == null ? undefined : drillReport.parse(JSON.parse(row.report))
}

/** Who signed a report, when both signatures are right; undefined when they are not. */
export function verifyDrill(report: DrillReport): string | undefined {
  const { signature, ...bare } = report
  try {
    const keys = decodeKeys(report.dealer)
    const message = concat(utf8(CONTEXT), canonicalBytes(bare))
    return verifySignatures(keys, message, CONTEXT, decodeKeys(signature)) ? dealerFingerprint(keys) : undefined
  } catch {
    return undefined
  }
}

/** Current versions at random, each with the fragments that the catalogue names. */
async function choose(core: SiteCore, files: number): Promise<Chosen[]> {
  const { places } = core.open()
  const { count } = await core.db.kysely
    .selectFrom('file')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  const chosen = new Map<string, Chosen>()
  let bytes = 0
  for (let tried = 0; chosen.size < Math.min(files, count) && tried < files * TRIED_MAX; tried++) {
    const row = await core.db.kysely
      .selectFrom('file as f')
      .innerJoin('file_version as v', (join) => join.onRef('v.file', '=', 'f.file').onRef('v.number', '=', 'f.current'))
      .innerJoin('deal as d', 'd.deal', 'v.deal')
      .selectAll('d')
      .orderBy('f.file')
      .offset(randomBelow(count))
      .limit(1)
      .executeTakeFirst()
    if (row === undefined || chosen.has(row.deal) || bytes + row.size > BYTES_MAX) continue
    bytes += row.size
    const held = await core.db.kysely
      .selectFrom('fragment')
      .selectAll()
      .where('deal', '=', row.deal)
      .where('state', '=', 'held')
      .where('name', 'is not', null)
      .execute()
    const fragments = held.flatMap(({ x, location, name }) => {
      const place = places.byId(location)
      return place === undefined ? [] : [{ place, x, name: name! }]
    })
    chosen.set(row.deal, { deal: row, fragments })
  }
  return [...chosen.values()]
}

/** Uniform in 0..below-1 as nearly as 48 random bits can be. */
function randomBelow(below: number): number {
  const bytes = new Uint8Array(6)
  randomFill(bytes)
  return Math.floor((bytes.reduce((value, byte) => value * 256 + byte, 0) / 2 ** 48) * below)
}

/** The product's way: fragments of all places but one, into a file of a clean folder. */
async function readWithout(
  core: SiteCore,
  { deal, fragments }: Chosen,
  how: { readonly blocked: Place; readonly file: string; readonly signal: AbortSignal; readonly findings: Findings },
): Promise<boolean> {
  const { vault } = core.open()
  // What was remembered of an earlier read may come from the blocked place.
  vault.forget(deal.deal)
  try {
    const reader = await vault.openUnchecked(
      deal,
      how.signal,
      fragments.filter(({ place }) => place !== how.blocked),
    )
    try {
      await using out = await open(how.file, 'wx', 0o600)
      if (deal.size > 0) for await (const piece of reader.read({ first: 0, last: deal.size - 1 }, how.signal)) await out.appendFile(piece)
      return reader.meta.size === deal.size
    } finally {
      await reader.close()
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
    how.findings.add({ location: how.blocked.label, path: deal.object, fragment: '', kind: 'unreadable', detail: error.message })
    return false
  } finally {
    vault.forget(deal.deal)
  }
}

/** Fragments as the places keep them, a folder for each place: what recover.py would be handed. Answers the folder of each place by its id. */
async function copyFragments(
  core: SiteCore,
  chosen: readonly Chosen[],
  how: { readonly scratch: string; readonly signal: AbortSignal },
): Promise<Map<string, string>> {
  const { stallMs } = core.open().vault.parts
  const folders = new Map<string, string>()
  for (const { fragments } of chosen)
    for (const { place, name } of fragments) {
      const folder = join(how.scratch, `place-${place.x}`)
      await mkdir(dirname(join(folder, name)), { recursive: true })
      folders.set(place.id, folder)
      const patience = { clock: core.clock, ms: stallMs, label: place.label, signal: how.signal }
      try {
        const source = await within({ ...patience, late: (late: FragmentSource) => late.close() }, (signal) =>
          place.location.open(name, { signal }),
        )
        const file = await open(join(folder, name), 'wx', 0o600)
        try {
          for (let at = 0; at < source.sizeBytes;) {
            const part = new Uint8Array(Math.min(COPY_BYTES, source.sizeBytes - at))
            await within(patience, (signal) => source.read(at, part, { signal }))
            await file.write(part)
            at += part.length
          }
        } finally {
          await file.close()
          await source.close()
        }
      } catch (error) {
        // A place that does not answer is away for recover.py as well.
        if (!(error instanceof Failure) || error.code === 'base.cancelled') throw error
        await rm(join(folder, name), { force: true })
      }
    }
  return folders
}

let python: string | undefined

async function pythonVersion(): Promise<string | null> {
  for (const name of ['python3', 'python']) {
    const { code, out } = await run(name, ['-c', 'import sys; print(sys.version.split()[0]); sys.exit(sys.version_info < (3, 8))'])
    if (code !== 0) continue
    python = name
    return out.trim()
  }
  return null
}

/** Where recover.py put each dealing. */
async function recoverPy(
  folders: readonly string[],
  how: { readonly k: number; readonly keyFiles: readonly string[]; readonly out: string; readonly signal: AbortSignal },
): Promise<Map<string, string>> {
  const keys = how.keyFiles.flatMap((file) => ['--dealer-keys', file])
  const { out } = await run(
    python!,
    ['-I', '-B', RECOVER, '--json', '--all-versions', '--k', String(how.k), ...keys, '--out', how.out, ...folders],
    how.signal,
  )
  const found = new Map<string, string>()
  try {
    const report = JSON.parse(out) as { files: { dealId: string; state: string; target?: string; dealer?: string }[] }
    for (const { dealId, state, target, dealer } of report.files)
      if (state === 'restored' && target !== undefined && dealer === 'verified') found.set(dealId, resolve(how.out, target))
  } catch {
    return found
  }
  return found
}

function run(program: string, args: readonly string[], signal?: AbortSignal): Promise<{ code: number | null; out: string }> {
  return new Promise((done) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: PYTHON_MS,
      ...(signal === undefined ? {} : { signal }),
    })
    const parts: Buffer[] = []
    child.stdout.on('data', (part: Buffer) => parts.push(part))
    child.on('error', () => done({ code: null, out: '' }))
    child.on('close', (code) => done({ code, out: Buffer.concat(parts).toString() }))
  })
}

async function equalFiles(a: string, b: string): Promise<boolean> {
  const theirs = createReadStream(b)[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  try {
    for await (const part of createReadStream(a)) {
      let mine = part as Uint8Array
      while (mine.length > 0) {
        if (rest.length === 0) {
          const next = await theirs.next()
          if (next.done === true) return false
          rest = next.value as Uint8Array
        }
        const length = Math.min(rest.length, mine.length)
        if (Buffer.compare(rest.subarray(0, length), mine.subarray(0, length)) !== 0) return false
        rest = rest.subarray(length)
        mine = mine.subarray(length)
      }
    }
    return rest.length === 0 && (await theirs.next()).done === true
  } catch {
    return false
  } finally {
    await theirs.return?.()
  }
}
