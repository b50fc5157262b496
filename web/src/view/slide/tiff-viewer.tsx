// A TIFF picture or slide.
import { useCallback, type ReactNode } from 'react'
import { useLoaded } from '../use-loaded.ts'
import { OtherWays, type ViewerProps } from '../view-body.tsx'
import { Opens } from '../view-page.tsx'
import { ViewTrouble } from '../view-trouble.tsx'
import { SlideViewer } from './slide-viewer.tsx'
import { openTiffSlide } from './tiff-slide.ts'

export function TiffViewer({ opened: { bytes, file }, show }: ViewerProps): ReactNode {
  const load = useCallback((signal: AbortSignal) => openTiffSlide(bytes, signal), [bytes])
  const slide = useLoaded(load)
  if (slide.state === 'loading') return <Opens />
  if (slide.state === 'failed')
    return (
      <ViewTrouble error={slide.error}>
        <OtherWays show={show} />
      </ViewTrouble>
    )
  return <SlideViewer slide={slide.value} name={file.name} />
}
