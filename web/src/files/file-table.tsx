// The listed folder as a table. One tab stop; arrows move, Enter opens, O views, Space selects, F2 renames, Del removes.
import type { Entry } from '#contract'
import { Checkbox } from '@mantine/core'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { useMediaQuery } from '@mantine/hooks'
import {
  useCallback,
  useEffect,
  useEffectEvent,
  useRef,
  useState,
  type Dispatch,
  type KeyboardEvent,
  type ReactNode,
  type SetStateAction,
} from 'react'
import { go } from '../app/route.ts'
import { keyIsTaken, shortcutsEnabled } from '../app/use-page-keys.ts'
import { useWords } from '../words/words.tsx'
import type { Column, Order } from './arrange.ts'
import type { Doing } from './deeds.ts'
import { FileRow } from './file-row.tsx'
import { useWindow } from './use-window.ts'
import styles from './file-table.module.css'

const ROW_PIXELS = 48
const ROW_PIXELS_PHONE = 64
const NEAR_END = 60

interface FileTableProps {
  readonly label: string
  readonly rows: readonly Entry[]
  /** Rows in all; -1 while more may follow. */
  readonly total: number
  /** Path of the file whose details are open. */
  readonly shown: string | undefined
  readonly order: Order | undefined
  readonly setOrder: (order: Order | undefined) => void
  readonly picked: ReadonlySet<string>
  readonly setPicked: Dispatch<SetStateAction<ReadonlySet<string>>>
  readonly open: (entry: Entry) => void
  readonly doing: Doing
  readonly nearEnd: () => void
}

export function FileTable(props: FileTableProps): ReactNode {
  const { label, rows, total, shown, order, setOrder, picked, setPicked, open, doing, nearEnd } = props
  const words = useWords()
  const phone = useMediaQuery('(max-width: 47.99em)') ?? false
  const rowPixels = phone ? ROW_PIXELS_PHONE : ROW_PIXELS
  const body = useRef<HTMLTableSectionElement>(null)
  const [current, setCurrent] = useState(0)
  const wantsFocus = useRef(false)
  const { first, end } = useWindow({ body, count: rows.length, rowPixels })
  const row = Math.min(current, rows.length - 1)
  useEffect(() => {
    if (total === -1 && end > rows.length - NEAR_END) nearEnd()
  }, [total, end, rows.length, nearEnd])
  useEffect(() => {
    if (!wantsFocus.current) return
    const target = nameButton(body.current, row)
    if (target === undefined) return
    wantsFocus.current = false
    target.focus({ preventScroll: false })
  })
  const pick = useCallback(
    (entry: Entry): void =>
      setPicked((before) => {
        const next = new Set(before)
        if (!next.delete(entry.path)) next.add(entry.path)
        return next
      }),
    [setPicked],
  )
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, to))
    setCurrent(next)
    const drawn = nameButton(body.current, next)
    if (drawn !== undefined) return drawn.focus()
    wantsFocus.current = true
    const top = (body.current?.getBoundingClientRect().top ?? 0) + scrollY + next * rowPixels
    scrollTo({ top: top - innerHeight / 2 })
  }
  const before = useRef(shown)
  useEffect(() => {
    const closed = shown === undefined ? rows.findIndex((entry) => entry.path === before.current) : -1
    before.current = shown
    if (closed !== -1) nameButton(body.current, closed)?.focus({ preventScroll: true })
  }, [shown, rows])
  useEnterFromHeading(() => move(row))
  const press = (event: KeyboardEvent): void => {
    const entry = rows[row]
    const inMenu = (event.target as Element).closest('[role=menu]') !== null
    if (entry === undefined || inMenu || event.ctrlKey || event.metaKey || event.altKey) return
    const steps: Record<string, number> = {
      ArrowDown: row + 1,
      ArrowUp: row - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: row + 10,
      PageUp: row - 10,
    }
    const step = steps[event.key]
    if (step !== undefined) move(step)
    else if (event.key.toLowerCase() === 'o' && entry.kind === 'file' && shortcutsEnabled()) go({ page: 'view', path: entry.path })
    else if (event.key === 'F2') doing({ kind: 'rename', entry })
    else if (event.key === 'Delete')
      doing({ kind: 'remove', entries: picked.size > 0 ? rows.filter((one) => picked.has(one.path)) : [entry] })
    else if (event.key === ' ' && (event.target as Element).closest('[data-open]') !== null) pick(entry)
    else return
    event.preventDefault()
  }
  const all = rows.length > 0 && rows.every((entry) => picked.has(entry.path))
  return (
    <table className={styles.table} aria-label={label} aria-rowcount={total === -1 ? -1 : total + 1} onKeyDown={press}>
      <thead>
        <tr>
          <th className={styles.check}>
            <Checkbox
              size="xs"
              checked={all}
              indeterminate={!all && picked.size > 0}
              onChange={() => setPicked(all ? new Set() : new Set(rows.map((entry) => entry.path)))}
              aria-label={words.files.selectAll}
            />
          </th>
          <Heading column="name" order={order} setOrder={setOrder} className={styles.nameHead} />
          <Heading column="size" order={order} setOrder={setOrder} className={styles.size} />
          <Heading column="modified" order={order} setOrder={setOrder} className={styles.modified} />
          <th className={styles.spread}>{words.files.spread}</th>
          <th className={styles.actions}>
            <span className={styles.unseen}>{words.files.actions}</span>
          </th>
        </tr>
      </thead>
      <tbody ref={body}>
        {first > 0 && <Spacer pixels={first * rowPixels} />}
        {rows.slice(first, end).map((entry, index) => (
          <FileRow
            key={entry.path}
            entry={entry}
            index={first + index}
            current={first + index === row}
            shown={entry.path === shown}
            picked={picked.has(entry.path)}
            pick={pick}
            focused={setCurrent}
            open={open}
            doing={doing}
          />
        ))}
        {end < rows.length && <Spacer pixels={(rows.length - end) * rowPixels} />}
      </tbody>
    </table>
  )
}

function nameButton(body: HTMLElement | null, row: number): HTMLElement | undefined {
  return body?.querySelector<HTMLElement>(`[data-row="${row}"] [data-open]`) ?? undefined
}

/** From the name of the folder, where the focus is after coming here, one arrow leads into the list. */
function useEnterFromHeading(enter: () => void): void {
  const act = useEffectEvent(enter)
  useEffect(() => {
    const pressed = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== 'ArrowDown' || keyIsTaken(event) || document.activeElement?.matches('h1') !== true) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [])
}

function Spacer({ pixels }: { readonly pixels: number }): ReactNode {
  return (
    <tr aria-hidden>
      <td colSpan={6} style={{ height: pixels, padding: 0, border: 0 }} />
    </tr>
  )
}

interface HeadingProps {
  readonly column: Column
  readonly order: Order | undefined
  readonly setOrder: (order: Order | undefined) => void
  readonly className: string | undefined
}

function Heading({ column, order, setOrder, className }: HeadingProps): ReactNode {
  const words = useWords()
  const name = words.files[column]
  const active = order?.column === column
  const Arrow = active && order.descending ? IconArrowDown : IconArrowUp
  const press = (): void =>
    setOrder(
      !active
        ? { column, descending: column !== 'name' }
        : order.descending === (column !== 'name')
          ? { column, descending: !order.descending }
          : undefined,
    )
  return (
    <th className={className} aria-sort={active ? (order.descending ? 'descending' : 'ascending') : 'none'}>
      <button type="button" className={styles.sort} data-active={active} onClick={press} title={words.files.sort(name)}>
        {name} {active && <Arrow size={14} aria-hidden />}
      </button>
    </th>
  )
}
