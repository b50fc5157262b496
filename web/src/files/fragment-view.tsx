// What one location sees of a file: the first bytes as a picture, as frequencies, as numbers, and what that means.
import type { Placement } from '#contract'
import { Button, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { placeNames } from '../pictures/place-names.ts'
import { keys } from '../site/queries.ts'
import { useSpeech } from '../words/words.tsx'
import { BytePicture } from './byte-picture.tsx'
import { entropyOf, entropyOfChance, labelBytesOf } from './byte-statistics.ts'
import { HexDump } from './hex-dump.tsx'
import { Histogram } from './histogram.tsx'
import styles from './fragment-view.module.css'

const LOOK_BYTES = 4096
const SHORT_BYTES = 1024
const HEX_BYTES = 512

export function FragmentView({
  placement,
  x,
  size,
}: {
  readonly placement: Placement
  readonly x: number
  readonly size: number
}): ReactNode {
  const { words, measures } = useSpeech()
  const { path, threshold, fragments } = placement
  const names = placeNames(fragments.map((fragment) => fragment.label))
  const label = names[fragments.findIndex((fragment) => fragment.x === x)] ?? String(x)
  const [comparing, setComparing] = useState(false)
  const fragment = useQuery({
    queryKey: [...keys.file(path), 'fragment', x],
    queryFn: ({ signal }) => client.fragment({ path, x, offset: 0, length: LOOK_BYTES }, { signal }),
    staleTime: 60_000,
  })
  const file = useQuery({
    queryKey: [...keys.file(path), 'start'],
    queryFn: () => startOf(path, size),
    enabled: comparing && size > 0,
    staleTime: 60_000,
  })
  const { data } = fragment
  return (
    <section className={styles.view} aria-label={words.fragment.title(label)} data-testid="fragment">
      <h4 className={styles.title}>{words.fragment.title(label)}</h4>
      <TroubleBox error={fragment.error} retry={() => void fragment.refetch()} />
      {data === undefined && fragment.error === null && <Skeleton height={240} />}
      {data !== undefined && (
        <>
          <p className={styles.lead}>
            <strong>{words.fragment.noise}</strong> {words.fragment.means(threshold)} {size < SHORT_BYTES && words.fragment.shortFile}
          </p>
          <div className={styles.pair} data-pair={comparing}>
            <Sample bytes={data} caption={words.fragment.fragment} captioned={comparing} />
            {comparing && file.data !== undefined && <Sample bytes={file.data} caption={words.fragment.file} captioned />}
          </div>
          <TroubleBox error={file.error} retry={() => void file.refetch()} />
          {size > 0 && (
            <Button
              variant="default"
              size="xs"
              fullWidth
              onClick={() => setComparing(!comparing)}
              loading={comparing && file.isFetching}
              aria-expanded={comparing}
            >
              {comparing ? words.fragment.compareHide : words.fragment.compare}
            </Button>
          )}
          <p className={styles.small}>
            {words.fragment.bytes(measures.number(Math.min(HEX_BYTES, data.length)))}.{' '}
            {labelBytesOf(data) > 0 && words.fragment.head(labelBytesOf(data))}
          </p>
          <HexDump bytes={data.subarray(0, HEX_BYTES)} labelBytes={labelBytesOf(data)} label={words.fragment.hexLabel} />
        </>
      )}
    </section>
  )
}

function Sample({
  bytes,
  caption,
  captioned,
}: {
  readonly bytes: Uint8Array
  readonly caption: string
  readonly captioned: boolean
}): ReactNode {
  const { words, measures } = useSpeech()
  const bits = words.fragment.entropy(measures.decimal(entropyOf(bytes), 2), measures.decimal(entropyOfChance(bytes.length), 2))
  return (
    <figure className={styles.sample}>
      {captioned && <figcaption>{caption}</figcaption>}
      <BytePicture bytes={bytes} label={`${caption}: ${words.fragment.picture}`} />
      <Histogram bytes={bytes} label={`${caption}: ${words.fragment.histogram}. ${bits}`} even={words.fragment.even} />
      <p className={styles.small}>
        {words.fragment.histogram}. {bits}
      </p>
    </figure>
  )
}

async function startOf(path: string, size: number): Promise<Uint8Array> {
  const { body } = await client.download({ path, range: { first: 0, last: Math.min(size, LOOK_BYTES) - 1 } })
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer())
}
