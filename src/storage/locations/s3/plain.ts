// What lies in a bucket under names of any kind, read only: files that somebody else put there.
import { type Clock, Failure } from '#base'
import { bounds, s3Bounds } from '../bounds.ts'
import { keyFromEnvironment, readKeyFile } from '../key-file.ts'
import { BlockPool } from '../web/blocks.ts'
import { S3Client } from './client.ts'
import type { S3Config } from './config.ts'
import { cachedCredentials } from './credentials.ts'
import { listObjects } from './list.ts'
import { openInS3 } from './source.ts'
import type { Store } from './store.ts'

interface PlainObject {
  readonly kind: 'file'
  readonly name: string
  readonly sizeBytes: number
  readonly modified: string
  read(signal: AbortSignal): AsyncIterable<Uint8Array>
}

type PlainBucketItem = PlainObject | { readonly kind: 'skipped'; readonly name: string; readonly why: string }

const READ_BYTES = 4 * 2 ** 20

/** Objects below the prefix, by their names. An object that changes while it is read fails, since it is read by its ETag. */
export function openPlainBucket(
  config: S3Config,
  around: { readonly variables: Readonly<Record<string, string | undefined>>; readonly clock: Clock },
): { readonly label: string; items(signal: AbortSignal): AsyncIterable<PlainBucketItem>; close(): Promise<void> } {
  const label = `${config.bucket} at ${new URL(config.endpoint).host}`
  const { credentials: keyFile, profile } = config
  const load =
    keyFile === undefined ? async () => keyFromEnvironment(around.variables, label) : () => readKeyFile(keyFile, { label, profile })
  const client = new S3Client({
    label,
    clock: around.clock,
    endpoint: config.endpoint,
    bucket: config.bucket,
    region: config.region,
    style: config.style,
    credentials: cachedCredentials(load, { clock: around.clock }),
  })
  const store: Store = {
    client,
    label,
    prefix: config.prefix === '' ? '' : `${config.prefix}/`,
    partBytes: s3Bounds.partBytesDefault,
    partsInFlight: 1,
    lock: undefined,
    blocks: new BlockPool(),
    obedience: { put: 'unknown', complete: 'unknown' },
  }
  return { label, items: (signal) => items(store, signal), close: async () => client.close() }
}

async function* items(store: Store, signal: AbortSignal): AsyncGenerator<PlainBucketItem> {
  for (let after: string | undefined; ;) {
    const page = await listObjects(store, { after, limit: bounds.listPageMax }, signal)
    for (const { key, sizeBytes, modified } of page.objects) {
      const name = key.slice(store.prefix.length)
      if (/^[0-9a-f]{2}\/[0-9a-f]{32}$/.test(name) || name === 'location.json')
        throw new Failure('location.not-ours', {
          detail: `${store.label} is a location of a vault: it holds fragments, not files`,
          culprits: [store.label],
          next: 'Bring that vault back with quorate recover.',
        })
      // Some tools mark folders by objects whose names end so.
      if (name === '' || name.endsWith('/')) continue
      if (modified === undefined) yield { kind: 'skipped', name, why: 'the store does not say when it was changed' }
      else yield { kind: 'file', name: name.normalize('NFC'), sizeBytes, modified, read: (stop) => read(store, { name, sizeBytes }, stop) }
    }
    if (!page.truncated) return
    after = page.objects.at(-1)!.key
  }
}

async function* read(
  store: Store,
  { name, sizeBytes }: { readonly name: string; readonly sizeBytes: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const source = await openInS3(store, name, { tailBytes: Math.min(1, sizeBytes), signal })
  try {
    if (source.sizeBytes !== sizeBytes)
      throw new Failure('storage.source-changed', { detail: `${name} changed since it was listed`, culprits: [store.label] })
    const bytes = new Uint8Array(Math.min(READ_BYTES, sizeBytes))
    for (let at = 0; at < sizeBytes; at += bytes.length) {
      const part = bytes.subarray(0, Math.min(bytes.length, sizeBytes - at))
      await source.read(at, part, { signal })
      yield part
    }
  } finally {
    await source.close()
  }
}
