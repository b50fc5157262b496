// One file into the vault, however often the way is interrupted: in this run, or by the same command on another day.
import { createHash, type Hash } from 'node:crypto'
import { Failure, isFailure, systemClock } from '#base'
import { prefixProof, uploadResumably, type PrefixHash, type ResumeNews, type Stored } from '#contract'
import type { Context } from './context.ts'
import type { LocalSource } from './local-source.ts'
import { printable, sentence, size } from './words.ts'

export async function putResumably(
  context: Context,
  source: LocalSource,
  item: { readonly local: string; readonly target: string; readonly ifAbsent: boolean },
): Promise<Stored> {
  const { client, signal } = context
  const meter = context.out.meter()
  let counted = 0
  const reach = (offset: number): void => {
    meter.bytes(offset - counted)
    counted = offset
  }
  let waits = false
  const tell = (news: ResumeNews): void => {
    if (news.kind === 'sending') {
      reach(news.offset)
      waits = false
    }
    const text = sayNews(news, item.target, waits)
    if (news.kind === 'waiting') waits = true
    if (text !== undefined) void context.out.note(text, { kind: `upload-${news.kind}`, path: item.target, text })
  }
  try {
    return await uploadResumably({
      client,
      source: {
        path: item.target,
        sizeBytes: source.sizeBytes,
        modified: source.modified,
        ifAbsent: item.ifAbsent,
        proof: prefixProof(
          () => hashOf(createHash('sha256')),
          (from, end) => stoppable(source.read(from, end), signal),
        ),
      },
      send: async ({ id, turn, offset }) => {
        async function* body(): AsyncIterable<Uint8Array> {
          let at = offset
          for await (const part of source.read(offset)) {
            yield part
            at += part.length
            reach(at)
          }
        }
        await client.sendUpload({ id, turn, offset, body: body(), size: source.sizeBytes - offset }, { signal })
      },
      sleep: (ms, stop) => systemClock.sleep(ms, stop),
      now: () => systemClock.now(),
      signal,
      tell,
    })
  } catch (error) {
    throw withNext(error, item)
  }
}

function hashOf(hash: Hash): PrefixHash {
  return { update: (bytes) => hash.update(bytes), copy: () => hashOf(hash.copy()), hex: () => hash.digest('hex') }
}

async function* stoppable(parts: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const part of parts) {
    if (signal.aborted) throw new Failure('base.cancelled')
    yield part
  }
}

/** Undefined for what the meter shows, or what was said already. */
function sayNews(news: ResumeNews, path: string, waits: boolean): string | undefined {
  const name = printable(path)
  switch (news.kind) {
    case 'found':
      return `An unfinished upload of ${name} goes on.`
    case 'proving':
      return `Reading the first ${size(news.offset)} again, to be sure that it is the same file.`
    case 'anew':
      return `Too few locations kept what was sent of ${name}: it begins anew.`
    case 'waiting': {
      const why = news.error instanceof Failure ? sentence(news.error.message) : String(news.error)
      return waits ? undefined : `${why} The upload of ${name} is tried again until it goes on; Ctrl-C stops it.`
    }
    case 'begun':
    case 'checking':
    case 'sending':
      return undefined
  }
}

/** What the person can do: nothing that was sent is lost. */
function withNext(error: unknown, item: { readonly local: string; readonly target: string }): unknown {
  if (isFailure(error, 'base.cancelled')) {
    return new Failure('base.cancelled', {
      detail: `Interrupted; what was sent of ${item.target} is kept for seven days`,
      next: 'Run the same command again to go on, or remove it: quorate uploads.',
      cause: error,
    })
  }
  if (isFailure(error, 'storage.source-changed')) {
    return new Failure('storage.source-changed', {
      detail: `${item.local} is not the file whose upload was begun: ${error.message}`,
      next: `Remove the unfinished upload (quorate uploads), then put the file again.`,
      culprits: [item.local],
      cause: error,
    })
  }
  return error
}
