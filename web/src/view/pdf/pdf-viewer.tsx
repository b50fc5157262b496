// A document, page under page. Only the pages near the screen are drawn; their text can be selected and read aloud.
import { ActionIcon, NumberInput } from '@mantine/core'
import '@mantine/core/styles/NumberInput.layer.css'
import { IconArrowsMaximize, IconChevronDown, IconChevronUp, IconMinus, IconPlus } from '@tabler/icons-react'
import type { PDFDocumentProxy } from 'pdfjs-dist'
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react'
import { useLoaded } from '../use-loaded.ts'
import { OtherWays, type ViewerProps } from '../view-body.tsx'
import { Opens } from '../view-page.tsx'
import { ViewTrouble } from '../view-trouble.tsx'
import { useViewWords } from '../words.ts'
import { openPdf } from './pdf-document.ts'
import { PdfPage } from './pdf-page.tsx'
import styles from './pdf.module.css'

const STEP = 1.25
const ZOOM_MAX = 5
const GAP_PIXELS = 12
const NEAR = 1
const PAGES_MAX = 20_000

export function PdfViewer({ opened: { bytes, file }, show }: ViewerProps): ReactNode {
  const load = useCallback(
    async (signal: AbortSignal) => {
      const { document } = await openPdf(bytes, signal)
      const first = (await document.getPage(1)).getViewport({ scale: 1 })
      return { document, width: first.width, height: first.height }
    },
    [bytes],
  )
  const pdf = useLoaded(load)
  if (pdf.state === 'loading') return <Opens />
  if (pdf.state === 'failed')
    return (
      <ViewTrouble error={pdf.error}>
        <OtherWays show={show} />
      </ViewTrouble>
    )
  return <Pages {...pdf.value} name={file.name} />
}

interface PagesProps {
  readonly document: PDFDocumentProxy
  /** Of the first page, in points: the others are taken to be like it until they are seen. */
  readonly width: number
  readonly height: number
  readonly name: string
}

function Pages({ document, width, height, name }: PagesProps): ReactNode {
  const words = useViewWords()
  const scroll = useRef<HTMLDivElement>(null)
  const [zoom, setZoom] = useState<number | 'width'>('width')
  const [space, setSpace] = useState(800)
  const [top, setTop] = useState(0)
  const [seen, setSeen] = useState(600)
  const count = Math.min(PAGES_MAX, document.numPages)
  useEffect(() => {
    const element = scroll.current!
    const observer = new ResizeObserver(() => {
      setSpace(element.clientWidth)
      setSeen(element.clientHeight)
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const fitted = Math.max(0.1, Math.min(2, (space - 2 * GAP_PIXELS) / width))
  const scale = zoom === 'width' ? fitted : zoom
  const pitch = height * scale + GAP_PIXELS
  const current = Math.max(1, Math.min(count, Math.floor((top + seen / 2) / pitch) + 1))
  const first = Math.max(1, Math.floor(top / pitch) + 1 - NEAR)
  const last = Math.min(count, Math.floor((top + seen) / pitch) + 1 + NEAR)
  const go = (page: number): void => scroll.current?.scrollTo({ top: (Math.max(1, Math.min(count, page)) - 1) * pitch })
  const by = (factor: number): void => setZoom(Math.max(0.1, Math.min(ZOOM_MAX, scale * factor)))
  return (
    <div className={styles.viewer} data-testid="pdf">
      <div className={styles.bar} role="toolbar" aria-label={words.tools}>
        <Tool name={words.pdf.previous} run={() => go(current - 1)}>
          <IconChevronUp size={18} aria-hidden />
        </Tool>
        <Tool name={words.pdf.next} run={() => go(current + 1)}>
          <IconChevronDown size={18} aria-hidden />
        </Tool>
        <NumberInput
          size="xs"
          w={80}
          hideControls
          min={1}
          max={count}
          placeholder={String(current)}
          aria-label={words.pdf.go}
          onKeyDown={(event) => {
            if (event.key === 'Enter') go(Number(event.currentTarget.value))
          }}
        />
        <span role="status">{words.pdf.pageOf(current, count)}</span>
        <Tool name={words.zoomIn} run={() => by(STEP)}>
          <IconPlus size={18} aria-hidden />
        </Tool>
        <Tool name={words.zoomOut} run={() => by(1 / STEP)}>
          <IconMinus size={18} aria-hidden />
        </Tool>
        <Tool name={words.fit} run={() => setZoom('width')}>
          <IconArrowsMaximize size={18} aria-hidden />
        </Tool>
        <span className={styles.note}>{words.pdf.noLinks}</span>
      </div>
      <div
        ref={scroll}
        className={styles.scroll}
        role="region"
        aria-label={words.pdf.label(name)}
        tabIndex={0}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <div className={styles.pages} style={{ height: count * pitch, minWidth: width * scale + 2 * GAP_PIXELS }}>
          {Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index).map((number) => (
            <div key={number} className={styles.place} style={{ top: (number - 1) * pitch, height: height * scale }}>
              <PdfPage document={document} number={number} scale={scale} heightPixels={height * scale} />
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}

function Tool({ name, run, children }: { readonly name: string; readonly run: () => void; readonly children: ReactNode }): ReactNode {
  return (
    <ActionIcon variant="default" size={30} onClick={run} aria-label={name} title={name}>
      {children}
    </ActionIcon>
  )
}
