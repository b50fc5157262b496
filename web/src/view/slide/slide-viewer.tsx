// A slide to pan and zoom, with how large things are. The keys are OpenSeadragon's: arrows, plus, minus, 0, r.
import { ActionIcon } from '@mantine/core'
import { IconArrowsMaximize, IconMinus, IconPlus, IconRotateClockwise } from '@tabler/icons-react'
import type OpenSeadragon from 'openseadragon'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useSpeech } from '../../words/words.tsx'
import { useViewWords } from '../words.ts'
import { ViewTrouble } from '../view-trouble.tsx'
import { openSeadragon } from './seadragon.ts'
import { scaleBar, type Slide } from './slide.ts'
import styles from './slide.module.css'

const BAR_PIXELS = 120
const STEP = 1.6

export function SlideViewer({ slide, name }: { readonly slide: Slide; readonly name: string }): ReactNode {
  const words = useViewWords()
  const { measures } = useSpeech()
  const stage = useRef<HTMLDivElement>(null)
  const viewer = useRef<OpenSeadragon.Viewer | undefined>(undefined)
  const [zoom, setZoom] = useState<number | undefined>()
  const [trouble, setTrouble] = useState<unknown>(null)
  useEffect(() => {
    const closing = new AbortController()
    const opened = openSeadragon({
      element: stage.current!,
      slide,
      signal: closing.signal,
      failed: setTrouble,
    })
    viewer.current = opened
    const measure = (): void => {
      if (opened.world.getItemCount() > 0) setZoom(opened.viewport.viewportToImageZoom(opened.viewport.getZoom(true)))
    }
    for (const event of ['open', 'animation', 'resize', 'update-viewport'] as const) opened.addHandler(event, measure)
    opened.addHandler('open', () => stage.current?.setAttribute('data-open', 'true'))
    return () => {
      closing.abort()
      viewer.current = undefined
      opened.destroy()
    }
  }, [slide])
  useEffect(() => {
    const canvas = stage.current?.querySelector('.openseadragon-canvas')
    canvas?.setAttribute('role', 'application')
    canvas?.setAttribute('aria-label', words.slide.canvas(name))
  }, [words, name, slide])
  const by = (factor: number): void => {
    viewer.current?.viewport.zoomBy(factor)
    viewer.current?.viewport.applyConstraints()
  }
  const turn = (): void => {
    const { viewport } = viewer.current ?? {}
    viewport?.setRotation((viewport.getRotation() + 90) % 360)
  }
  const largest = slide.levels[0]!
  const bar = slide.micrometres === undefined || zoom === undefined ? undefined : scaleBar(slide.micrometres / zoom, BAR_PIXELS)
  return (
    <div className={styles.viewer} data-testid="slide">
      <div className={styles.field}>
        <div ref={stage} className={styles.stage} />
        <div className={styles.tools} role="toolbar" aria-label={words.tools}>
          <Tool name={words.zoomIn} run={() => by(STEP)}>
            <IconPlus size={18} aria-hidden />
          </Tool>
          <Tool name={words.zoomOut} run={() => by(1 / STEP)}>
            <IconMinus size={18} aria-hidden />
          </Tool>
          <Tool name={words.fit} run={() => viewer.current?.viewport.goHome()}>
            <IconArrowsMaximize size={18} aria-hidden />
          </Tool>
          <Tool name={words.rotate} run={turn}>
            <IconRotateClockwise size={18} aria-hidden />
          </Tool>
        </div>
        <div className={styles.scale} data-testid="scale">
          {bar !== undefined && (
            <span className={styles.bar} style={{ width: bar.pixels }}>
              {lengthOf(bar.micrometres, measures)}
            </span>
          )}
          {zoom !== undefined && (
            <span>
              {slide.magnification === undefined
                ? words.slide.percent(measures.decimal(zoom * 100, zoom < 0.1 ? 1 : 0))
                : words.slide.power(
                    measures.decimal(slide.magnification.power * zoom, slide.magnification.power * zoom < 10 ? 1 : 0),
                    slide.magnification.guessed,
                  )}
            </span>
          )}
        </div>
        {trouble !== null && (
          <ViewTrouble
            error={trouble}
            part
            retry={() => {
              setTrouble(null)
              viewer.current?.world.getItemAt(0)?.reset()
            }}
          />
        )}
      </div>
      <p className={styles.facts}>
        {words.slide.size(measures.number(largest.width), measures.number(largest.height), slide.levels.length)} · {slide.how}
        {slide.notes.map((note) => (
          <span key={note}> · {words.slide.notes[note]}</span>
        ))}
      </p>
    </div>
  )
}

function Tool({ name, run, children }: { readonly name: string; readonly run: () => void; readonly children: ReactNode }): ReactNode {
  return (
    <ActionIcon variant="default" size="lg" onClick={run} aria-label={name} title={name}>
      {children}
    </ActionIcon>
  )
}

function lengthOf(micrometres: number, measures: { decimal(value: number, digits: number): string }): string {
  if (micrometres >= 1000) return `${measures.decimal(micrometres / 1000, 0)} mm`
  return micrometres >= 1 ? `${measures.decimal(micrometres, 0)} µm` : `${measures.decimal(micrometres * 1000, 0)} nm`
}
