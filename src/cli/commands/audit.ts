// audit: what the log of the site says, copies and proofs of it.
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Failure, fromBase64, toHex } from '#base'
import type { AuditEntry, AuditHead, AuditQuery, EraseRequest } from '#contract'
import { copyLog, parseCheckpointText, parseNote } from '#format/log'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { localFailure, systemCode } from '../local-failure.ts'
import { replaceWhole } from '../replace-whole.ts'
import { counted, printable, table } from '../words.ts'
import { readOptional } from './verify-audit.ts'

const PAGE = 1000

export async function auditStatus(context: Context): Promise<number> {
  const head = await context.client.auditHead({ signal: context.signal })
  await context.out.value(head)
  await context.out.line(`${head.size} ${head.size === 1 ? 'entry' : 'entries'}, signed ${head.at.slice(0, 19).replace('T', ' ')}`)
  await context.out.line(`root ${fingerprint(head)}`)
  for (const key of head.vkeys) await context.out.line(`key  ${key.length > 120 ? `${key.slice(0, 100)}... (whole with --json)` : key}`)
  if (head.problem === null) await context.out.line('sound: every head that was signed continues the one before')
  else await context.out.line(`${head.state.toUpperCase()}: ${printable(head.problem.detail)}\n  Next: ${head.problem.next}`)
  return codeOf(head)
}

export async function listAudit(context: Context, query: AuditQuery, count: number): Promise<number> {
  const entries: AuditEntry[] = []
  for (let after: string | undefined; entries.length < count;) {
    const limit = Math.min(PAGE, count - entries.length)
    const page = await context.client.auditEntries(
      { ...query, limit, ...(after === undefined ? {} : { after }) },
      { signal: context.signal },
    )
    entries.push(...page.entries)
    if (page.next === null) break
    after = page.next
  }
  entries.reverse()
  for (const one of entries) await context.out.value(one)
  if (entries.length === 0) await context.out.line('No entry is like that.')
  else for (const line of table([['no', 'when', 'who', 'what', 'outcome', 'where'], ...entries.map(rowOf)])) await context.out.line(line)
  return EXIT.done
}

function rowOf(one: AuditEntry): string[] {
  const { personal, erased } = one
  const named = personal?.actor?.name
  const who = named !== undefined && named !== '' ? named : one.actor.replace(/^(\w+:[0-9a-f]{8})[0-9a-f]+$/, '$1')
  const about =
    personal?.subject === undefined
      ? ''
      : ` about ${personal.subject.name === '' ? personal.subject.id.slice(0, 8) : personal.subject.name}`
  const where = erased === null ? (personal?.path ?? one.object?.id ?? '') : `(erased on ${erased.slice(0, 10)})`
  return [
    String(one.index),
    one.at.slice(0, 19).replace('T', ' '),
    printable(who),
    `${one.kind}${one.count === undefined ? '' : ` x ${one.count}`}${printable(about)}`,
    one.code === undefined ? one.outcome : `${one.outcome} (${one.code})`,
    printable(where),
  ]
}

export async function exportAudit(context: Context, typed: string | undefined, options: { readonly personal: boolean }): Promise<number> {
  const { client, signal, out, host } = context
  if (typed === undefined) {
    if (options.personal)
      throw new Failure('cli.usage', { detail: 'Names and paths are copied into a folder that is named, never into the home.' })
    const { folder, size } = await client.auditExport({ signal })
    await out.value({ folder, size, personal: false })
    await out.line(`${size} entries in ${printable(folder)}`)
    return EXIT.done
  }
  const folder = resolve(host.folder, typed)
  const found = await client.auditHead({ signal })
  if (found.state === 'tampered') throw new Failure('audit.tampered', { detail: found.problem!.detail, next: found.problem!.next })
  await sameLog(folder, found)
  // Names first: the head that is copied with them covers them all.
  if (options.personal) await exportPersonal(context, join(folder, 'personal.jsonl'))
  const head = await client.auditHead({ signal })
  const meter = out.meter()
  const tiles = await copyLog({
    from: { read: (path) => client.auditFile(path, { signal }) },
    to: {
      has: async (path) => {
        try {
          return (await stat(join(folder, path))).isFile()
        } catch (error) {
          if (systemCode(error) === 'ENOENT') return false
          throw localFailure(error, 'read', join(folder, path))
        }
      },
      write: (path, bytes) => writeWhole(join(folder, path), bytes),
    },
    checkpoint: new TextEncoder().encode(head.checkpoint),
    size: head.size,
    vkeys: head.vkeys.map((key) => `${key}\n`).join(''),
    progress: (done) => meter.show(`${done} of ${head.size} entries`),
    signal,
  })
  await meter.close()
  await out.value({ folder, size: head.size, tiles, personal: options.personal })
  await out.line(`${head.size} entries, ${counted(tiles, 'new file')} in ${printable(folder)}`)
  await out.line(`Verify it anywhere with: quorate verify-audit ${printable(typed)} --key ${printable(join(typed, 'vkeys'))}`)
  await out.line('Keep its keys and its checkpoint where the site cannot reach: they are what the next copy is compared with.')
  return EXIT.done
}

/** Copies of two logs do not mix. */
async function sameLog(folder: string, head: AuditHead): Promise<void> {
  const before = await readOptional(join(folder, 'checkpoint'), 262_144)
  if (before === undefined) return
  const { origin } = parseCheckpointText(parseNote(before).text)
  if (origin !== head.origin)
    throw new Failure('cli.file', {
      detail: `${folder} holds a copy of another log, ${origin}.`,
      next: 'Name another folder.',
      culprits: [folder],
    })
}

async function exportPersonal({ client, signal }: Context, path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, await client.auditPersonal({ signal }), { mode: 0o600 })
  } catch (error) {
    throw localFailure(error, 'write', path)
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await replaceWhole(path, bytes)
  } catch (error) {
    throw localFailure(error, 'write', path)
  }
}

export async function auditProof(context: Context, index: number, file: string | undefined): Promise<number> {
  return hand(context, await context.client.auditReceipt(index, { signal: context.signal }), file, 'receipt')
}

export async function auditCheckpoint(context: Context, file: string | undefined): Promise<number> {
  const bytes = await context.client.auditFile('checkpoint', { signal: context.signal })
  if (bytes === undefined) throw new Failure('audit.absent')
  return hand(context, bytes, file, 'head')
}

async function hand(context: Context, bytes: Uint8Array, file: string | undefined, what: string): Promise<number> {
  if (file === undefined) {
    await context.host.output.write(bytes)
    return EXIT.done
  }
  const path = resolve(context.host.folder, file)
  try {
    await writeFile(path, bytes, { flag: 'wx' })
  } catch (error) {
    throw localFailure(error, 'write', path)
  }
  await context.out.value({ file: path })
  await context.out.line(`${what} written to ${printable(path)}`)
  return EXIT.done
}

export async function auditVerify(context: Context): Promise<number> {
  const meter = context.out.meter()
  for await (const step of context.client.auditVerify({ signal: context.signal })) {
    if (step.kind === 'progress') {
      meter.show(`${step.done} of ${step.total} entries`)
      continue
    }
    await meter.close()
    await context.out.value(step)
    const { problem } = step
    if (problem === null) {
      await context.out.line(
        `All ${step.entries} entries are as they were written and signed; ${step.opened} with their names and paths, ${step.erased} erased.`,
      )
      return EXIT.done
    }
    await context.out.line(`WRONG, ${entriesOf(problem)}: ${printable(problem.detail)}.`)
  }
  return EXIT.failed
}

export async function auditErase(context: Context, request: EraseRequest): Promise<number> {
  const answer = await context.client.auditErase(request, { signal: context.signal })
  await context.out.value(answer)
  await context.out.line(`Erased from ${answer.entries} entries. Copies that were exported before still have them: erase them there too.`)
  return EXIT.done
}

export async function auditRestart(context: Context, reason: string): Promise<number> {
  const head = await context.client.auditRestart({ reason }, { signal: context.signal })
  await context.out.value(head)
  await context.out.line(`A new log has begun: ${head.origin}. Its first entry names the one before.`)
  await context.out.line('Give its keys to whoever verifies: quorate audit status --json')
  return EXIT.done
}

/** `entry 7`, `entries 0 to 255`. */
export function entriesOf({ first, last }: { readonly first: number; readonly last: number }): string {
  return first === last ? `entry ${first}` : `entries ${first} to ${last}`
}

function fingerprint({ root }: AuditHead): string {
  return root === '' ? '(none)' : toHex(fromBase64(root))
}

function codeOf({ state }: AuditHead): number {
  return state === 'sound' ? EXIT.done : state === 'damaged' ? EXIT.degraded : EXIT.failed
}
