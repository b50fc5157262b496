// A table of any length: only the rows near the screen are read and drawn.
import { Button, NumberInput, Progress } from '@mantine/core'
import '@mantine/core/styles/NumberInput.layer.css'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { useSpeech } from '../../words/words.tsx'
import { isClosed } from '../cannot-show.ts'
import { ViewTrouble } from '../view-trouble.tsx'
import { useViewWords } from '../words.ts'
import { isNumber } from './records.ts'
import { orderOf } from './table-order.ts'
import type { TableSource } from './table-source.ts'
import { contentPixels, scrollTo, windowAt } from './table-window.ts'
import styles from './table.module.css'

interface TableViewProps {
  readonly label: string
  readonly source: TableSource
  /** What to say and to choose above the table. */
  readonly children?: ReactNode
  /** Opens what there is to say about a row. */
  readonly choose?: (fields: readonly string[]) => void
}

interface Order {
  readonly of: TableSource
  readonly column: number
  readonly descending: boolean
  readonly rows: Uint32Array
}

const ROW_PIXELS = 30
const HEAD_PIXELS = 34
const PAGE_ROWS = 200
const PAGES_MAX = 24
const NEAR_END_ROWS = 400
const SORT_ROWS_MAX = 50_000
const SORT_STEP_ROWS = 2000
const WIDTH_MIN = 5
const WIDTH_MAX = 36
const WIDTH_UNKNOWN = 10

export function TableView({ label, source, children, choose }: TableViewProps): ReactNode {
  const words = useViewWords()
  const { measures, language } = useSpeech()
  const scroll = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(400)
  const [ordered, setOrder] = useState<Order | undefined>()
  const order = ordered?.of === source ? ordered : undefined
  const [, redraw] = useState(0)
  const [trouble, setTrouble] = useState<unknown>(null)
  const reader = useReader(source, () => redraw((n) => n + 1), setTrouble)
  const shape = { rows: source.count, rowPixels: ROW_PIXELS, viewPixels: Math.max(ROW_PIXELS, height - HEAD_PIXELS) }
  const shown = windowAt(top, shape)
  useEffect(() => {
    const element = scroll.current!
    const observer = new ResizeObserver(() => setHeight(element.clientHeight))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    scroll.current?.scrollTo({ top: 0 })
  }, [source])
  const nearEnd = !source.complete && shown.end > source.count - NEAR_END_ROWS
  useEffect(() => {
    if (nearEnd) reader.extend()
  }, [nearEnd, source.count, reader])
  const widths = useWidths(source, reader)
  const numberChars = String(source.count).length + 4
  const jump = (row: number): void => {
    scroll.current?.scrollTo({ top: scrollTo(row, shape) })
  }
  const press = (event: KeyboardEvent): void => {
    if (event.target !== scroll.current || event.ctrlKey || event.metaKey || event.altKey) return
    const page = Math.max(1, Math.floor(shape.viewPixels / ROW_PIXELS) - 1)
    const to = {
      ArrowDown: shown.first + 1,
      ArrowUp: shown.first - 1,
      PageDown: shown.first + page,
      PageUp: shown.first - page,
      Home: 0,
      End: source.count,
    }[event.key]
    if (to === undefined) return
    event.preventDefault()
    jump(to)
  }
  const sortable = source.complete && source.count <= SORT_ROWS_MAX
  const sort = (column: number): void => {
    if (order?.column === column && order.descending) return setOrder(undefined)
    reader.sorted(column, order?.column === column, language).then(setOrder, (error: unknown) => {
      if (!isClosed(error)) setTrouble(error)
    })
  }
  const rows = Array.from({ length: shown.end - shown.first }, (_, index) => {
    const at = shown.first + index
    const row = order === undefined ? at : order.rows[at]!
    return { at, row, fields: reader.row(row) }
  })
  return (
    <div className={styles.view} data-testid="table">
      <div className={styles.bar}>
        <span role="status">
          {words.table.rows(measures.number(source.count), source.complete)} · {words.table.columns(measures.number(source.columns.length))}
          {source.columnsLeft > 0 && ` · ${words.table.columnsCut(measures.number(source.columns.length))}`}
        </span>
        {!source.complete && !reader.readingAll && (
          <Button size="compact-xs" variant="default" onClick={() => reader.readAll()}>
            {words.table.readAll}
          </Button>
        )}
        {reader.readingAll && (
          <>
            <Progress w={120} value={source.share * 100} aria-label={words.table.reading(measures.percent(source.share))} />
            <Button size="compact-xs" variant="default" onClick={() => reader.stop()}>
              {words.stop}
            </Button>
          </>
        )}
        <NumberInput
          size="xs"
          w={110}
          min={1}
          max={Math.max(1, source.count)}
          hideControls
          placeholder={words.table.goTo}
          aria-label={words.table.goTo}
          onKeyDown={(event) => {
            if (event.key === 'Enter') jump(Number(event.currentTarget.value.replaceAll(/\D/g, '')) - 1)
          }}
        />
        {children}
      </div>
      <div
        ref={scroll}
        className={styles.scroll}
        role="region"
        aria-label={label}
        aria-description={words.table.keys}
        tabIndex={0}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={press}
      >
        {source.count === 0 && source.complete ? (
          <p className={styles.empty}>{words.table.empty}</p>
        ) : (
          <div className={styles.content} style={{ height: contentPixels(shape) + HEAD_PIXELS }}>
            <table
              className={styles.table}
              style={{
                top: shown.topPixels,
                width: `${numberChars + source.columns.reduce((sum, _, column) => sum + (widths[column] ?? WIDTH_UNKNOWN), 0)}ch`,
              }}
              aria-label={label}
              aria-rowcount={source.complete ? source.count + 1 : -1}
            >
              <colgroup>
                <col style={{ width: `${numberChars}ch` }} />
                {source.columns.map((_, column) => (
                  <col key={column} style={{ width: `${widths[column] ?? WIDTH_UNKNOWN}ch` }} />
                ))}
              </colgroup>
              <thead>
                <tr>
                  <th scope="col" className={styles.number}>
                    <span className={styles.unseen}>{words.table.row}</span>
                  </th>
                  {source.columns.map((name, column) => (
                    <Heading
                      key={column}
                      name={name}
                      sortable={sortable}
                      direction={order?.column === column ? (order.descending ? 'descending' : 'ascending') : 'none'}
                      sort={() => sort(column)}
                    />
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map(({ at, row, fields }) => (
                  <tr key={at} aria-rowindex={at + 2} data-row={row}>
                    <th scope="row" className={styles.number}>
                      {choose === undefined || fields === undefined ? (
                        measures.number(row + 1)
                      ) : (
                        <button type="button" className={styles.choose} onClick={() => choose(fields)}>
                          {measures.number(row + 1)}
                        </button>
                      )}
                    </th>
                    {source.columns.map((_, column) => {
                      const text = fields?.[column] ?? ''
                      return (
                        <td key={column} title={text.length > WIDTH_MAX ? text.slice(0, 2000) : undefined} data-number={isNumber(text)}>
                          {fields === undefined ? '…' : text.slice(0, 300)}
                        </td>
                      )
                    })}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
      {trouble !== null && (
        <ViewTrouble
          error={trouble}
          part
          retry={() => {
            setTrouble(null)
            reader.again()
          }}
        />
      )}
    </div>
  )
}

interface HeadingProps {
  readonly name: string
  readonly sortable: boolean
  readonly direction: 'ascending' | 'descending' | 'none'
  readonly sort: () => void
}

function Heading({ name, sortable, direction, sort }: HeadingProps): ReactNode {
  const words = useViewWords()
  const Arrow = direction === 'descending' ? IconArrowDown : IconArrowUp
  if (!sortable)
    return (
      <th scope="col" title={`${name}. ${words.table.noSort}`}>
        {name}
      </th>
    )
  return (
    <th scope="col" aria-sort={direction}>
      <button type="button" className={styles.sort} onClick={sort} title={words.table.sort(name)}>
        {name} {direction !== 'none' && <Arrow size={14} aria-hidden />}
      </button>
    </th>
  )
}

interface Reader {
  /** Undefined until it is there; it is fetched then. */
  row(row: number): readonly string[] | undefined
  extend(): void
  readonly readingAll: boolean
  readAll(): void
  stop(): void
  /** Reads again what could not be read. */
  again(): void
  sorted(column: number, descending: boolean, locale: string): Promise<Order>
}

/** Keeps the pages of rows that were looked at last. */
function useReader(source: TableSource, changed: () => void, failed: (error: unknown) => void): Reader {
  const [reader, setReader] = useState<Reader>(() => idleReader)
  const tell = useRef({ changed, failed })
  useEffect(() => {
    tell.current = { changed, failed }
  })
  useEffect(() => {
    const closing = new AbortController()
    setReader(
      createReader(
        source,
        closing.signal,
        () => tell.current.changed(),
        (error) => tell.current.failed(error),
      ),
    )
    return () => closing.abort()
  }, [source])
  return reader
}

const idleReader: Reader = {
  row: () => undefined,
  extend: () => undefined,
  readingAll: false,
  readAll: () => undefined,
  stop: () => undefined,
  again: () => undefined,
  sorted: () => Promise.reject(new DOMException('closed', 'AbortError')),
}

function createReader(source: TableSource, signal: AbortSignal, changed: () => void, failed: (error: unknown) => void): Reader {
  const pages = new Map<number, readonly (readonly string[])[] | 'coming' | 'failed'>()
  let extending = false
  let stopping: AbortController | undefined
  const trouble = (error: unknown): void => {
    if (!isClosed(error) && !signal.aborted) failed(error)
  }
  const fetch = (page: number): void => {
    pages.set(page, 'coming')
    source.rows(page * PAGE_ROWS, PAGE_ROWS, signal).then(
      (rows) => {
        pages.set(page, rows)
        for (const oldest of pages.keys()) {
          if (pages.size <= PAGES_MAX) break
          if (oldest !== page) pages.delete(oldest)
        }
        changed()
      },
      (error: unknown) => {
        pages.set(page, 'failed')
        trouble(error)
      },
    )
  }
  return {
    row: (row) => {
      const page = Math.floor(row / PAGE_ROWS)
      const known = pages.get(page)
      // A page that was read while fewer rows were known is read again.
      if (known === 'coming' || known === 'failed') return undefined
      if (known === undefined || (row - page * PAGE_ROWS >= known.length && row < source.count)) {
        fetch(page)
        return undefined
      }
      pages.delete(page)
      pages.set(page, known)
      return known[row - page * PAGE_ROWS]
    },
    extend: () => {
      if (extending || source.complete) return
      extending = true
      source
        .extend(signal)
        .catch(trouble)
        .finally(() => {
          extending = false
          if (!signal.aborted) changed()
        })
    },
    get readingAll() {
      return stopping !== undefined
    },
    readAll: () => {
      const stop = new AbortController()
      stopping = stop
      const ends = AbortSignal.any([signal, stop.signal])
      const run = async (): Promise<void> => {
        while (await source.extend(ends)) changed()
      }
      run()
        .catch(trouble)
        .finally(() => {
          stopping = undefined
          if (!signal.aborted) changed()
        })
      changed()
    },
    stop: () => stopping?.abort(),
    again: () => {
      for (const [page, known] of pages) if (known === 'failed') pages.delete(page)
      changed()
    },
    sorted: async (column, descending, locale) => {
      const keys: string[] = []
      for (let first = 0; first < source.count; first += SORT_STEP_ROWS) {
        for (const fields of await source.rows(first, SORT_STEP_ROWS, signal)) keys.push(fields[column] ?? '')
      }
      return { of: source, column, descending, rows: orderOf(keys, descending, locale) }
    },
  }
}

/** Widths of columns in characters, by what the first rows hold. They stay, so that nothing jumps while scrolling. */
function useWidths(source: TableSource, reader: Reader): readonly number[] {
  const [widths, setWidths] = useState<{ readonly of: TableSource; readonly widths: readonly number[] } | undefined>()
  const sample = Array.from({ length: Math.min(40, source.count) }, (_, row) => reader.row(row))
  const ready = source.count > 0 && sample.every((fields) => fields !== undefined)
  if (ready && widths?.of !== source) {
    const found = source.columns.map((name, column) => {
      const longest = Math.max(name.length + 2, ...sample.map((fields) => fields?.[column]?.length ?? 0))
      return Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, longest)) + 2
    })
    setWidths({ of: source, widths: found })
  }
  return widths?.of === source ? widths.widths : []
}
