// Goes to a place in the genome.
import { Button, Progress, TextInput } from '@mantine/core'
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react'
import { client } from '../../site/client.ts'
import { useSpeech } from '../../words/words.tsx'
import { isClosed } from '../cannot-show.ts'
import type { OpenFile } from '../open-file.ts'
import { ViewTrouble } from '../view-trouble.tsx'
import { useViewWords } from '../words.ts'
import { findRows, indexBeside } from './find-region.ts'
import { parseRegion } from './region.ts'
import { rowsInMemory, type TableSource } from './table-source.ts'
import type { TextTable } from './text-table.ts'
import styles from './table.module.css'

interface RegionSearchProps {
  readonly table: TextTable
  readonly file: OpenFile
  /** Undefined: the whole table again. */
  readonly found: (source: TableSource | undefined) => void
}

export function RegionSearch({ table, file, found }: RegionSearchProps): ReactNode {
  const words = useViewWords()
  const { measures } = useSpeech()
  const [typed, setTyped] = useState('')
  const [said, setSaid] = useState('')
  const [share, setShare] = useState<number | undefined>()
  const [trouble, setTrouble] = useState<unknown>(null)
  const running = useRef<AbortController | undefined>(undefined)
  useEffect(() => () => running.current?.abort(), [])
  const search = async (stop: AbortController): Promise<void> => {
    const region = parseRegion(typed)
    if (region === undefined) return setSaid(words.table.notRegion)
    const { signal } = stop
    // Only a file packed in blocks can be entered at a place that an index names, and only the version that it was made for.
    const index = file.version === undefined && /\.(gz|bgz)$/i.test(file.name) ? await indexBeside(client, file.path, signal) : undefined
    setSaid(index === undefined ? words.table.noIndex : words.table.byIndex)
    const { rows, cut } = await findRows({ table, region, index, signal, progress: setShare })
    if (rows.length === 0) return setSaid(words.table.notFound)
    setSaid(`${words.table.rows(measures.number(rows.length), !cut)}. ${index === undefined ? '' : words.table.byIndex}`)
    found(rowsInMemory(table.source.columns, rows))
  }
  const begin = (event: FormEvent): void => {
    event.preventDefault()
    running.current?.abort()
    const stop = new AbortController()
    running.current = stop
    setTrouble(null)
    setShare(0)
    search(stop)
      .catch((error: unknown) => {
        if (!isClosed(error)) setTrouble(error)
      })
      .finally(() => {
        if (running.current !== stop) return
        running.current = undefined
        setShare(undefined)
      })
  }
  const clear = (): void => {
    setTyped('')
    setSaid('')
    found(undefined)
  }
  return (
    <form className={styles.find} onSubmit={begin} role="search" aria-label={words.table.region}>
      <TextInput
        size="xs"
        w={240}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        aria-label={words.table.region}
        placeholder={words.table.regionHint}
      />
      {share === undefined ? (
        <Button size="xs" type="submit">
          {words.table.find}
        </Button>
      ) : (
        <>
          <Progress w={100} value={share * 100} aria-label={words.table.searching(measures.percent(share))} />
          <Button size="xs" variant="default" onClick={() => running.current?.abort()}>
            {words.stop}
          </Button>
        </>
      )}
      {said !== '' && (
        <Button size="xs" variant="default" onClick={clear}>
          {words.fit}
        </Button>
      )}
      {said !== '' && (
        <p className={styles.said} role="status">
          {said}
        </p>
      )}
      {trouble !== null && <ViewTrouble error={trouble} part />}
    </form>
  )
}
