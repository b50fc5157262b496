// One page: drawn, with its text above it, invisible and selectable.
import { type PDFDocumentProxy, RenderingCancelledException, TextLayer } from 'pdfjs-dist'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { ViewTrouble } from '../view-trouble.tsx'
import { CannotShow } from '../cannot-show.ts'
import { useViewWords } from '../words.ts'
import styles from './pdf.module.css'

interface PdfPageProps {
  readonly document: PDFDocumentProxy
  readonly number: number
  readonly scale: number
  /** A page that is taller than the first is shown smaller, so that the pages keep their places. */
  readonly heightPixels: number
}

const CANVAS_PIXELS_MAX = 16_000_000

export function PdfPage({ document, number, scale, heightPixels }: PdfPageProps): ReactNode {
  const words = useViewWords()
  const canvas = useRef<HTMLCanvasElement>(null)
  const text = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState<{ readonly width: number; readonly height: number } | undefined>()
  const [trouble, setTrouble] = useState<unknown>(null)
  useEffect(() => {
    let cancel: (() => void) | undefined
    let gone = false
    const draw = async (): Promise<void> => {
      const page = await document.getPage(number)
      if (gone) return
      const natural = page.getViewport({ scale: 1 })
      const fitted = Math.min(scale, heightPixels / natural.height)
      const sharp = Math.min(devicePixelRatio, Math.sqrt(CANVAS_PIXELS_MAX / (natural.width * natural.height * fitted * fitted)))
      const viewport = page.getViewport({ scale: fitted })
      setSize({ width: viewport.width, height: viewport.height })
      const target = canvas.current!
      target.width = Math.floor(viewport.width * sharp)
      target.height = Math.floor(viewport.height * sharp)
      const task = page.render({ canvas: target, viewport, ...(sharp === 1 ? {} : { transform: [sharp, 0, 0, sharp, 0, 0] }) })
      cancel = () => task.cancel()
      await task.promise
      if (gone) return
      target.setAttribute('data-drawn', String(number))
      const content = await page.getTextContent()
      if (gone) return
      text.current!.replaceChildren()
      text.current!.style.setProperty('--total-scale-factor', String(fitted))
      await new TextLayer({ textContentSource: content, container: text.current!, viewport }).render()
    }
    draw().catch((error: unknown) => {
      if (!gone && !(error instanceof RenderingCancelledException)) setTrouble(new CannotShow('damaged', 'PDF', { cause: error }))
    })
    return () => {
      gone = true
      cancel?.()
    }
  }, [document, number, scale, heightPixels])
  return (
    <div className={styles.page} role="group" aria-label={words.pdf.page(number)} style={size}>
      <canvas ref={canvas} className={styles.canvas} />
      <div ref={text} className={styles.text} />
      {trouble !== null && <ViewTrouble error={trouble} part />}
    </div>
  )
}
