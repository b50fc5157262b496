// A picture that browsers know. It is fetched whole, up to a bound, and given to the browser under the type that its content has.
import { ActionIcon, Progress } from '@mantine/core'
import { IconArrowsMaximize, IconMinus, IconPlus, IconZoomScan } from '@tabler/icons-react'
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react'
import { useSpeech } from '../../words/words.tsx'
import { CannotShow } from '../cannot-show.ts'
import { useLoaded } from '../use-loaded.ts'
import { OtherWays, type ViewerProps } from '../view-body.tsx'
import { ViewTrouble } from '../view-trouble.tsx'
import { useViewWords } from '../words.ts'
import { pictureSize } from './picture-size.ts'
import styles from './image.module.css'

const FILE_BYTES_MAX = 128 * 2 ** 20
const PIXELS_MAX = 200_000_000
const STEP_BYTES = 2 ** 20
const STEP = 1.5
const ZOOM_MAX = 16

export function ImageViewer({ opened, show }: ViewerProps): ReactNode {
  const { bytes, head, kind, file } = opened
  const words = useViewWords()
  const { measures } = useSpeech()
  const [read, setRead] = useState(0)
  const load = useCallback(
    async (signal: AbortSignal) => {
      const size = pictureSize(head, kind.format)
      if (bytes.sizeBytes > FILE_BYTES_MAX || (size !== undefined && size.width * size.height > PIXELS_MAX))
        throw new CannotShow('too-large', size === undefined ? '' : `${size.width} × ${size.height}`)
      const parts: Uint8Array<ArrayBuffer>[] = []
      for (let first = 0; first < bytes.sizeBytes; first += STEP_BYTES) {
        parts.push((await bytes.read(first, STEP_BYTES, signal)) as Uint8Array<ArrayBuffer>)
        setRead(Math.min(bytes.sizeBytes, first + STEP_BYTES))
      }
      return new Blob(parts, { type: kind.mime ?? '' })
    },
    [bytes, head, kind],
  )
  const loaded = useLoaded(load)
  if (loaded.state === 'failed')
    return (
      <ViewTrouble error={loaded.error}>
        <OtherWays show={show} />
      </ViewTrouble>
    )
  if (loaded.state === 'loading')
    return (
      <div className={styles.loading}>
        <p>{words.image.loading(measures.bytes(read), measures.bytes(bytes.sizeBytes))}</p>
        <Progress value={(read / bytes.sizeBytes) * 100} aria-label={words.opening} w={240} />
      </div>
    )
  return <Picture blob={loaded.value} name={file.name} show={show} />
}

interface PictureProps {
  readonly blob: Blob
  readonly name: string
  readonly show: ViewerProps['show']
}

function Picture({ blob, name, show }: PictureProps): ReactNode {
  const words = useViewWords()
  const { measures } = useSpeech()
  const image = useRef<HTMLImageElement>(null)
  const scroll = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState<{ readonly width: number; readonly height: number } | undefined>()
  const [broken, setBroken] = useState(false)
  const [zoom, setZoom] = useState<number | 'fit'>('fit')
  useEffect(() => {
    const address = URL.createObjectURL(blob)
    image.current!.src = address
    return () => URL.revokeObjectURL(address)
  }, [blob])
  const fitted = (): number => {
    if (size === undefined || scroll.current === null) return 1
    return Math.min(1, scroll.current.clientWidth / size.width, scroll.current.clientHeight / size.height)
  }
  const by = (factor: number): void => setZoom(Math.max(0.02, Math.min(ZOOM_MAX, (zoom === 'fit' ? fitted() : zoom) * factor)))
  const press = (event: { readonly key: string; preventDefault(): void }): void => {
    if (event.key === '+') by(STEP)
    else if (event.key === '-') by(1 / STEP)
    else if (event.key === '0') setZoom('fit')
    else if (event.key === '1') setZoom(1)
    else return
    event.preventDefault()
  }
  if (broken)
    return (
      <ViewTrouble error={new CannotShow('damaged')}>
        <OtherWays show={show} />
      </ViewTrouble>
    )
  return (
    <div className={styles.viewer} data-testid="image">
      <div
        ref={scroll}
        className={styles.scroll}
        data-fit={zoom === 'fit'}
        role="region"
        aria-label={words.image.scroll(name)}
        tabIndex={0}
        onKeyDown={press}
      >
        <img
          ref={image}
          alt={name}
          className={styles.picture}
          style={zoom === 'fit' || size === undefined ? undefined : { width: size.width * zoom, height: size.height * zoom }}
          onLoad={(event) => setSize({ width: event.currentTarget.naturalWidth, height: event.currentTarget.naturalHeight })}
          onError={() => setBroken(true)}
        />
      </div>
      <div className={styles.tools} role="toolbar" aria-label={words.tools}>
        <ActionIcon variant="default" size="lg" onClick={() => by(STEP)} aria-label={words.zoomIn} title={words.zoomIn}>
          <IconPlus size={18} aria-hidden />
        </ActionIcon>
        <ActionIcon variant="default" size="lg" onClick={() => by(1 / STEP)} aria-label={words.zoomOut} title={words.zoomOut}>
          <IconMinus size={18} aria-hidden />
        </ActionIcon>
        <ActionIcon variant="default" size="lg" onClick={() => setZoom('fit')} aria-label={words.fit} title={words.fit}>
          <IconArrowsMaximize size={18} aria-hidden />
        </ActionIcon>
        <ActionIcon variant="default" size="lg" onClick={() => setZoom(1)} aria-label={words.image.actual} title={words.image.actual}>
          <IconZoomScan size={18} aria-hidden />
        </ActionIcon>
      </div>
      {size !== undefined && <p className={styles.facts}>{words.image.size(measures.number(size.width), measures.number(size.height))}</p>}
    </div>
  )
}
