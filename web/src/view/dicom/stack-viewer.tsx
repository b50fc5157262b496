// The images of a series, one at a time: slices, brightness, size, length. The canvas is drawn here; nothing leaves the page.
import { ActionIcon, SegmentedControl, Select, Slider } from '@mantine/core'
import '@mantine/core/styles/Slider.layer.css'
import '@mantine/core/styles/Combobox.layer.css'
import '@mantine/core/styles/ScrollArea.layer.css'
import { IconArrowsMaximize, IconContrast, IconMinus, IconPlus, IconRulerOff } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react'
import { useSpeech } from '../../words/words.tsx'
import { isClosed } from '../cannot-show.ts'
import { ViewTrouble } from '../view-trouble.tsx'
import { useViewWords } from '../words.ts'
import { createOpener } from './dicom-folder.ts'
import type { DicomFile } from './dicom-file.ts'
import { createImageStore, type ShownImage } from './image-store.ts'
import { PatientBar } from './patient-bar.tsx'
import { type ImageFacts, stackOf } from './series.ts'
import { CT_PRESETS, greyOf, type PresetName, type Window } from './window.ts'
import styles from './dicom.module.css'

interface StackProps {
  readonly path: string
  readonly dicom: DicomFile
  readonly files: readonly ImageFacts[]
}

type Tool = 'window' | 'pan' | 'measure'
type Preset = 'file' | 'whole' | PresetName

interface Place {
  readonly zoom: number
  readonly x: number
  readonly y: number
}

interface Measure {
  readonly from: readonly [number, number]
  readonly to: readonly [number, number]
}

const FITTED: Place = { zoom: 1, x: 0, y: 0 }
const ZOOM_STEP = 1.3
const ZOOM_MAX = 40
const AHEAD = 2
const WHEEL_PIXELS = 60

export function StackViewer({ path, dicom, files }: StackProps): ReactNode {
  const words = useViewWords()
  const { measures } = useSpeech()
  const stack = useMemo(() => stackOf(files), [files])
  const [at, setAt] = useState({ path, frame: 0 })
  const index = Math.max(
    0,
    stack.findIndex((image) => image.path === at.path && image.frame === at.frame),
  )
  const wanted = stack[index]!
  const { image, trouble } = useImage(path, dicom, stack, index)
  const [tool, setTool] = useState<Tool>('window')
  const [preset, setPreset] = useState<Preset>('file')
  const [own, setOwn] = useState<Window | undefined>()
  const [inverted, setInverted] = useState(false)
  const [place, setPlace] = useState<Place>(FITTED)
  const [measure, setMeasure] = useState<Measure | undefined>()
  const stage = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const window = image === undefined ? undefined : (own ?? windowFor(image, preset))
  useEffect(() => {
    if (image === undefined || window === undefined || canvas.current === null) return
    canvas.current.width = image.width
    canvas.current.height = image.height
    const context = canvas.current.getContext('2d')!
    if (image.pixels.kind === 'colours') context.putImageData(image.pixels.picture, 0, 0)
    else
      context.putImageData(
        new ImageData(greyOf(image.pixels.values, image.line, window, image.inverted !== inverted), image.width, image.height),
        0,
        0,
      )
    canvas.current.setAttribute('data-drawn', `${wanted.path}#${wanted.frame}`)
  }, [image, window?.centre, window?.width, inverted, wanted.path, wanted.frame])
  const size = useSize(stage)
  const fit = image === undefined ? 1 : Math.min(size.width / image.width, size.height / (image.height * image.aspect))
  const scale = fit * place.zoom
  const step = (by: number): void => {
    const next = stack[Math.max(0, Math.min(stack.length - 1, index + by))]!
    setAt(next)
    setMeasure(undefined)
  }
  const zoomBy = (factor: number): void =>
    setPlace((before) => ({ ...before, zoom: Math.max(0.1, Math.min(ZOOM_MAX, before.zoom * factor)) }))
  const brighten = (centre: number, width: number): void => {
    if (image === undefined || window === undefined || image.pixels.kind === 'colours') return
    const unit = Math.max(image.whole.width / 512, Math.abs(image.line.slope))
    setOwn({ centre: window.centre + centre * unit, width: Math.max(Math.abs(image.line.slope), window.width + width * unit) })
  }
  const press = (event: KeyboardEvent): void => {
    const steps: Record<string, () => void> = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      PageDown: () => step(10),
      PageUp: () => step(-10),
      Home: () => step(-stack.length),
      End: () => step(stack.length),
      ArrowLeft: () => brighten(10, 0),
      ArrowRight: () => brighten(-10, 0),
      '+': () => zoomBy(ZOOM_STEP),
      '-': () => zoomBy(1 / ZOOM_STEP),
      '0': () => setPlace(FITTED),
      i: () => setInverted(!inverted),
    }
    const act = steps[event.key]
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    act()
  }
  const drag = useDrag({
    tool,
    toImage: (x, y) => {
      const box = canvas.current!.getBoundingClientRect()
      return [((x - box.left) / box.width) * (image?.width ?? 1), ((y - box.top) / box.height) * (image?.height ?? 1)]
    },
    brighten,
    pan: (x, y) => setPlace((before) => ({ ...before, x: before.x + x, y: before.y + y })),
    measured: setMeasure,
  })
  useWheel(stage, step, zoomBy)
  const name = path.slice(path.lastIndexOf('/') + 1)
  const grey = image?.pixels.kind === 'values'
  return (
    <div className={styles.stack} data-testid="stack">
      <PatientBar dicom={dicom} />
      <div className={styles.bar} role="toolbar" aria-label={words.tools}>
        <SegmentedControl
          size="xs"
          aria-label={words.dicom.tool}
          value={tool}
          onChange={(value) => setTool(value)}
          data={(['window', 'pan', 'measure'] as const).map((value) => ({ value, label: words.dicom.toolNames[value] }))}
        />
        {grey && (
          <Select
            size="xs"
            w={150}
            aria-label={words.dicom.window}
            value={own === undefined ? preset : null}
            placeholder={
              window === undefined ? '' : words.dicom.windowAs(measures.decimal(window.centre, 0), measures.decimal(window.width, 0))
            }
            onChange={(value) => {
              setOwn(undefined)
              setPreset(value ?? 'file')
            }}
            allowDeselect={false}
            data={(['file', 'whole', ...(image.modality === 'CT' ? (Object.keys(CT_PRESETS) as PresetName[]) : [])] as const).map(
              (value) => ({
                value,
                label: words.dicom.presets[value],
              }),
            )}
          />
        )}
        {grey && (
          <ToolButton name={words.dicom.invert} run={() => setInverted(!inverted)}>
            <IconContrast size={18} aria-hidden />
          </ToolButton>
        )}
        <ToolButton name={words.zoomIn} run={() => zoomBy(ZOOM_STEP)}>
          <IconPlus size={18} aria-hidden />
        </ToolButton>
        <ToolButton name={words.zoomOut} run={() => zoomBy(1 / ZOOM_STEP)}>
          <IconMinus size={18} aria-hidden />
        </ToolButton>
        <ToolButton name={words.fit} run={() => setPlace(FITTED)}>
          <IconArrowsMaximize size={18} aria-hidden />
        </ToolButton>
        {measure !== undefined && (
          <ToolButton name={words.dicom.clear} run={() => setMeasure(undefined)}>
            <IconRulerOff size={18} aria-hidden />
          </ToolButton>
        )}
        <span className={styles.window}>
          {grey && window !== undefined && words.dicom.windowAs(measures.decimal(window.centre, 0), measures.decimal(window.width, 0))}
        </span>
      </div>
      <div
        ref={stage}
        className={styles.stage}
        role="application"
        aria-label={words.dicom.image(name)}
        tabIndex={0}
        data-tool={tool}
        onKeyDown={press}
        {...drag}
      >
        <div
          className={styles.picture}
          style={{
            width: (image?.width ?? 1) * scale,
            height: (image?.height ?? 1) * (image?.aspect ?? 1) * scale,
            transform: `translate(-50%, -50%) translate(${place.x}px, ${place.y}px)`,
          }}
        >
          <canvas ref={canvas} className={styles.canvas} data-smooth={scale < 3} />
          {measure !== undefined && image !== undefined && <Ruler measure={measure} image={image} />}
        </div>
        {trouble !== null && <ViewTrouble error={trouble} part />}
      </div>
      <div className={styles.slices}>
        <span role="status">{words.dicom.slice(measures.number(index + 1), measures.number(stack.length))}</span>
        {measure !== undefined && image !== undefined && (
          <span role="status" data-testid="length">
            {words.dicom.measured(lengthIn(measure, image, measures, words.dicom.pixels))}
          </span>
        )}
        {stack.length > 1 && (
          <Slider
            className={styles.slider}
            size="sm"
            min={1}
            max={stack.length}
            value={index + 1}
            onChange={(value) => step(value - 1 - index)}
            label={null}
            thumbLabel={words.dicom.slices}
          />
        )}
        <span className={styles.notice}>{words.dicom.notice}</span>
      </div>
    </div>
  )
}

function ToolButton({ name, run, children }: { readonly name: string; readonly run: () => void; readonly children: ReactNode }): ReactNode {
  return (
    <ActionIcon variant="default" size={30} onClick={run} aria-label={name} title={name}>
      {children}
    </ActionIcon>
  )
}

function Ruler({ measure, image }: { readonly measure: Measure; readonly image: ShownImage }): ReactNode {
  const [x1, y1] = measure.from
  const [x2, y2] = measure.to
  return (
    <svg className={styles.ruler} viewBox={`0 0 ${image.width} ${image.height}`} preserveAspectRatio="none" aria-hidden>
      <line x1={x1} y1={y1} x2={x2} y2={y2} vectorEffect="non-scaling-stroke" />
    </svg>
  )
}

function lengthIn(
  { from, to }: Measure,
  { spacing }: ShownImage,
  measures: { decimal(value: number, digits: number): string },
  pixels: (n: string) => string,
): string {
  const [x, y] = [to[0] - from[0], to[1] - from[1]]
  if (spacing === undefined) return pixels(measures.decimal(Math.hypot(x, y), 0))
  return `${measures.decimal(Math.hypot(x * spacing.column, y * spacing.row), 1)} mm`
}

function windowFor(image: ShownImage, preset: Preset): Window {
  if (preset === 'file') return image.window ?? image.whole
  return preset === 'whole' ? image.whole : CT_PRESETS[preset]
}

/** The image wanted, the last one while it comes, and the ones beside it in advance. */
function useImage(
  path: string,
  dicom: DicomFile,
  stack: ReturnType<typeof stackOf>,
  index: number,
): { readonly image: ShownImage | undefined; readonly trouble: unknown } {
  const [shown, setShown] = useState<{ readonly image: ShownImage | undefined; readonly trouble: unknown }>({
    image: undefined,
    trouble: null,
  })
  const [store, setStore] = useState<ReturnType<typeof createImageStore> | undefined>()
  useEffect(() => {
    const closing = new AbortController()
    const open = createOpener(closing.signal)
    setStore(createImageStore((wanted) => (wanted === path ? Promise.resolve(dicom) : open(wanted)), closing.signal))
    return () => closing.abort()
  }, [path, dicom])
  const wanted = stack[index]
  useEffect(() => {
    if (store === undefined || wanted === undefined) return
    let current = true
    store.image(wanted).then(
      (image) => {
        if (!current) return
        setShown({ image, trouble: null })
        for (let ahead = 1; ahead <= AHEAD; ahead++) {
          for (const beside of [stack[index + ahead], stack[index - ahead]]) {
            // Its trouble is said when it is looked at.
            if (beside !== undefined) store.image(beside).catch(() => undefined)
          }
        }
      },
      (error: unknown) => {
        if (current && !isClosed(error)) setShown((before) => ({ ...before, trouble: error }))
      },
    )
    return () => {
      current = false
    }
  }, [store, wanted?.path, wanted?.frame])
  return shown
}

interface Dragging {
  readonly tool: Tool
  readonly toImage: (x: number, y: number) => readonly [number, number]
  readonly brighten: (centre: number, width: number) => void
  readonly pan: (x: number, y: number) => void
  readonly measured: (measure: Measure) => void
}

interface DragHandlers {
  readonly onPointerDown: (event: PointerEvent<HTMLElement>) => void
  readonly onPointerMove: (event: PointerEvent<HTMLElement>) => void
  readonly onPointerUp: (event: PointerEvent<HTMLElement>) => void
}

function useDrag({ tool, toImage, brighten, pan, measured }: Dragging): DragHandlers {
  const last = useRef<{ readonly x: number; readonly y: number; readonly from: readonly [number, number] } | undefined>(undefined)
  return {
    onPointerDown: (event) => {
      if (event.button !== 0) return
      event.currentTarget.setPointerCapture(event.pointerId)
      last.current = { x: event.clientX, y: event.clientY, from: toImage(event.clientX, event.clientY) }
    },
    onPointerMove: (event) => {
      const before = last.current
      if (before === undefined) return
      const [x, y] = [event.clientX - before.x, event.clientY - before.y]
      last.current = { ...before, x: event.clientX, y: event.clientY }
      if (tool === 'window') brighten(-y, x)
      else if (tool === 'pan') pan(x, y)
      else measured({ from: before.from, to: toImage(event.clientX, event.clientY) })
    },
    onPointerUp: () => {
      last.current = undefined
    },
  }
}

/** The wheel changes the slice, with Ctrl the size. React listens passively, so the listener is our own. */
function useWheel(stage: { readonly current: HTMLElement | null }, step: (by: number) => void, zoomBy: (factor: number) => void): void {
  const act = useRef({ step, zoomBy })
  useEffect(() => {
    act.current = { step, zoomBy }
  })
  useEffect(() => {
    const element = stage.current
    if (element === null) return
    let turned = 0
    const wheel = (event: WheelEvent): void => {
      event.preventDefault()
      if (event.ctrlKey) return act.current.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1)
      turned += event.deltaMode === 0 ? event.deltaY : event.deltaY * WHEEL_PIXELS
      const steps = Math.trunc(turned / WHEEL_PIXELS)
      if (steps === 0) return
      turned -= steps * WHEEL_PIXELS
      act.current.step(steps)
    }
    element.addEventListener('wheel', wheel, { passive: false })
    return () => element.removeEventListener('wheel', wheel)
  }, [stage])
}

function useSize(element: { readonly current: HTMLElement | null }): { readonly width: number; readonly height: number } {
  const [size, setSize] = useState({ width: 1, height: 1 })
  useEffect(() => {
    const { current } = element
    if (current === null) return
    const observer = new ResizeObserver(() => setSize({ width: current.clientWidth, height: current.clientHeight }))
    observer.observe(current)
    return () => observer.disconnect()
  }, [element])
  return size
}
