// One large file out of the vault, however often the way is interrupted: in this run, or by the same command on another day.
import { createHash } from 'node:crypto'
import { Failure, isFailure, systemClock } from '#base'
import type { Entry } from '#contract'
import type { Context } from './context.ts'
import { resumeLocalTarget, type ResumedTarget } from './local-target.ts'
import { printable, sentence } from './words.ts'

const BACKOFF_MS = 500
const BACKOFF_MS_MAX = 60_000
/** Gives up when nothing has come for so long. */
const PATIENCE_MS = 24 * 3_600_000
/** The link, or the site behind it; what the vault itself cannot do is said at once. */
const PASSING = new Set(['api.unreachable', 'api.timeout', 'api.busy', 'base.cancelled'])

export async function getResumably(
  context: Context,
  entry: Entry,
  to: { readonly target: string; readonly replace: boolean },
): Promise<void> {
  const { client, signal, out } = context
  const { path, version } = entry
  const first = await client.download({ path, version, range: { first: 0, last: 0 } }, { signal })
  for await (const _ of first.body) continue
  const { etag, whole } = first
  for (let attempt = 1; ; attempt += 1) {
    const file = await resumeLocalTarget(to.target, { replace: to.replace, version: etag, sizeBytes: whole })
    try {
      if (file.writtenBytes > 0) await out.note(`The download of ${printable(path)} goes on.`, { kind: 'download-found', path })
      await fetchRest(context, file, { path, version, etag, whole })
      // The site judged every byte that it sent. What an earlier run left on this disk is judged as a whole.
      if (file.writtenBytes === 0 || (await client.verifyContent({ path, version, sha256: await digest(file) }, { signal })).same) {
        await file.finish(new Date(entry.modified))
        return
      }
      await file.abort()
      if (attempt > 1)
        throw new Failure('cli.file', {
          detail: `${to.target} does not keep what is written to it.`,
          next: 'Look at the health of the disk.',
          culprits: [to.target],
        })
      await out.note(`What was there of ${printable(path)} is damaged; it is fetched anew.`, { kind: 'download-anew', path })
    } catch (error) {
      if (isFailure(error, 'api.precondition')) await file.abort()
      else await file.keep()
      throw withNext(error, path)
    }
  }
}

async function fetchRest(
  { client, signal, out }: Context,
  file: ResumedTarget,
  what: { readonly path: string; readonly version: number; readonly etag: string; readonly whole: number },
): Promise<void> {
  const meter = out.meter()
  const { path, version, etag, whole } = what
  let at = file.writtenBytes
  meter.bytes(at)
  let [since, backoffMs] = [systemClock.now(), BACKOFF_MS]
  while (at < whole) {
    try {
      const download = await client.download({ path, version, ifMatch: etag, range: { first: at } }, { signal })
      for await (const part of download.body) {
        await file.write(part)
        at += part.length
        meter.bytes(part.length)
        ;[since, backoffMs] = [systemClock.now(), BACKOFF_MS]
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof Failure) || !mayPass(error) || systemClock.now() - since > PATIENCE_MS) throw error
      if (backoffMs === 2 * BACKOFF_MS)
        await out.note(`${sentence(error.message)} The download of ${printable(path)} is tried again until it goes on; Ctrl-C stops it.`, {
          kind: 'download-waiting',
          path,
        })
      await systemClock.sleep(backoffMs, signal)
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)
    }
  }
}

/** A body that ends short was cut off, too. */
function mayPass(error: Failure): boolean {
  return PASSING.has(error.code) || error.code === 'format.content'
}

async function digest(file: ResumedTarget): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of file.read()) hash.update(part)
  return hash.digest('hex')
}

function withNext(error: unknown, path: string): unknown {
  if (isFailure(error, 'base.cancelled')) {
    return new Failure('base.cancelled', {
      detail: `Interrupted; what came of ${path} is kept beside its name`,
      next: 'Run the same command again to go on.',
      cause: error,
    })
  }
  if (isFailure(error, 'api.precondition')) {
    return new Failure('api.precondition', {
      detail: `${path} was replaced while it was fetched; what had come is removed`,
      next: 'Run the same command again for the present version.',
      cause: error,
    })
  }
  return error
}
