// A DICOM file with the others of its series in the folder: a stack of images, or a slide.
import { useCallback, useEffect, useMemo, useState, type ReactNode } from 'react'
import { parentOf } from '../../files/paths.ts'
import { useListing } from '../../files/use-listing.ts'
import { useSpeech } from '../../words/words.tsx'
import { CannotShow, isClosed } from '../cannot-show.ts'
import { SlideViewer } from '../slide/slide-viewer.tsx'
import { useLoaded } from '../use-loaded.ts'
import { OtherWays, type ViewerProps } from '../view-body.tsx'
import { Opens } from '../view-page.tsx'
import { ViewTrouble } from '../view-trouble.tsx'
import { useViewWords } from '../words.ts'
import { type DicomFile, readDicom } from './dicom-file.ts'
import { FILES_MAX, type Looked, lookThrough, openDicom } from './dicom-folder.ts'
import { openDicomSlide } from './dicom-slide.ts'
import { pixelShape, refusePacking } from './pixels.ts'
import { factsOf, SLIDE_CLASS } from './series.ts'
import { StackViewer } from './stack-viewer.tsx'
import { TagList } from './tag-list.tsx'
import styles from './dicom.module.css'

export function DicomViewer({ opened, show }: ViewerProps): ReactNode {
  const { bytes, file } = opened
  const load = useCallback((signal: AbortSignal) => readDicom(bytes, signal), [bytes])
  const dicom = useLoaded(load)
  const trouble = dicom.state === 'ready' ? troubleOf(dicom.value) : dicom.state === 'failed' ? dicom.error : undefined
  if (dicom.state === 'loading') return <Opens />
  if (trouble !== undefined)
    return (
      <div className={styles.only}>
        <ViewTrouble error={trouble}>
          <OtherWays show={show} />
        </ViewTrouble>
        {dicom.state === 'ready' && <TagList dicom={dicom.value} />}
      </div>
    )
  if (dicom.state === 'failed') return null
  return <Series path={file.path} version={file.version} dicom={dicom.value} show={show} />
}

interface SeriesProps {
  readonly path: string
  readonly version: number | undefined
  readonly dicom: DicomFile
  readonly show: ViewerProps['show']
}

function Series({ path, version, dicom, show }: SeriesProps): ReactNode {
  const words = useViewWords()
  const { measures } = useSpeech()
  const known = useMemo(() => factsOf(path, dicom), [path, dicom])
  // An old version stands alone: what lies beside it now is not of its time.
  const looked = useFolder(path, known, version === undefined)
  const slide = dicom.string(0x00080016) === SLIDE_CLASS
  const complete = looked.done >= looked.of
  const same = useMemo(
    () => looked.facts.filter(({ series, slide: of }) => series === known.series && of === slide),
    [looked.facts, known, slide],
  )
  const state = !complete && <p role="status">{words.dicom.looking(measures.number(looked.done), measures.number(looked.of))}</p>
  return (
    <div className={styles.series}>
      {slide ? (
        complete && <SlideOf paths={same.map((facts) => facts.path)} own={{ path, dicom }} name={path} show={show} />
      ) : (
        <StackViewer path={path} dicom={dicom} files={same} />
      )}
      <div className={styles.looking}>
        {state}
        {complete && looked.left > 0 && same.length > 1 && <p>{words.dicom.left(looked.left)}</p>}
        {looked.cut && <p>{words.dicom.many(measures.number(FILES_MAX))}</p>}
      </div>
    </div>
  )
}

interface SlideOfProps {
  readonly paths: readonly string[]
  readonly own: { readonly path: string; readonly dicom: DicomFile }
  readonly name: string
  readonly show: ViewerProps['show']
}

/** All files of the slide stay open as long as it is looked at. */
function SlideOf({ paths, own, name, show }: SlideOfProps): ReactNode {
  const all = paths.join('\n')
  const load = useCallback(
    async (signal: AbortSignal) => {
      const others = all.split('\n').filter((path) => path !== own.path && path !== '')
      const files = await Promise.all(others.map(async (path) => (await openDicom(path, signal)).dicom))
      return openDicomSlide([own.dicom, ...files])
    },
    [all, own.path, own.dicom],
  )
  const slide = useLoaded(load)
  if (slide.state === 'loading') return <Opens />
  if (slide.state === 'failed')
    return (
      <ViewTrouble error={slide.error}>
        <OtherWays show={show} />
      </ViewTrouble>
    )
  return <SlideViewer slide={slide.value} name={name.slice(name.lastIndexOf('/') + 1)} />
}

function useFolder(path: string, known: ReturnType<typeof factsOf>, wanted: boolean): Looked {
  const listing = useListing({ path: parentOf(path), whole: wanted })
  const [looked, setLooked] = useState<Looked>({ facts: [known], done: 0, of: wanted ? 1 : 0, left: 0, cut: false })
  const entries = listing.complete ? listing.entries : undefined
  // What changes in the folder meanwhile is seen when the file is opened again.
  const [first, setFirst] = useState<typeof entries>()
  if (first === undefined && entries !== undefined) setFirst(entries)
  useEffect(() => {
    if (!wanted || first === undefined) return
    const closing = new AbortController()
    lookThrough({ entries: first, known, signal: closing.signal, found: setLooked }).catch((error: unknown) => {
      if (!isClosed(error) && !closing.signal.aborted) setLooked((before) => ({ ...before, of: before.done }))
    })
    return () => closing.abort()
  }, [wanted, first, known])
  return looked
}

/** Why the pixels cannot be shown, before anything of them is read. */
function troubleOf(dicom: DicomFile): unknown {
  if (dicom.pixels === undefined) return new CannotShow('no-picture')
  try {
    refusePacking(pixelShape(dicom))
    return undefined
  } catch (error) {
    return error
  }
}
