// Which viewer a file gets. Each is loaded when it is first needed.
import { Button } from '@mantine/core'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { Guard } from '../app/guard.tsx'
import type { Opened } from './opened.ts'
import { useViewWords } from './words.ts'
import styles from './view.module.css'

const HexViewer = lazy(async () => ({ default: (await import('./hex-viewer.tsx')).HexViewer }))
const TextViewer = lazy(async () => ({ default: (await import('./text/text-viewer.tsx')).TextViewer }))
const ImageViewer = lazy(async () => ({ default: (await import('./image/image-viewer.tsx')).ImageViewer }))
const TiffViewer = lazy(async () => ({ default: (await import('./slide/tiff-viewer.tsx')).TiffViewer }))
const DicomViewer = lazy(async () => ({ default: (await import('./dicom/dicom-viewer.tsx')).DicomViewer }))
const TextTableViewer = lazy(async () => ({ default: (await import('./table/text-table-viewer.tsx')).TextTableViewer }))
const ParquetViewer = lazy(async () => ({ default: (await import('./table/parquet-viewer.tsx')).ParquetViewer }))
const PdfViewer = lazy(async () => ({ default: (await import('./pdf/pdf-viewer.tsx')).PdfViewer }))

export interface ViewerProps {
  readonly opened: Opened
  /** Shows the file in another way. */
  readonly show: (how: 'text' | 'bytes') => void
}

export function ViewBody({ opened }: Omit<ViewerProps, 'show'>): ReactNode {
  const words = useViewWords()
  const [how, setHow] = useState<'own' | 'text' | 'bytes'>('own')
  const props: ViewerProps = { opened, show: setHow }
  const { kind } = opened
  return (
    <>
      {kind.misnamed === true && (
        <p className={styles.misnamed} role="note">
          {words.misnamed(words.formats[kind.format])}
        </p>
      )}
      <div className={styles.body}>
        <Guard key={how}>
          <Suspense fallback={<div className={styles.opens} aria-busy="true" />}>{viewerOf(how, props)}</Suspense>
        </Guard>
      </div>
    </>
  )
}

/** What a viewer offers when it cannot show the file. */
export function OtherWays({ show }: Pick<ViewerProps, 'show'>): ReactNode {
  const words = useViewWords()
  return (
    <Button variant="default" size="xs" mt={8} onClick={() => show('bytes')}>
      {words.bytesFirst}
    </Button>
  )
}

function viewerOf(how: 'own' | 'text' | 'bytes', props: ViewerProps): ReactNode {
  if (how === 'bytes') return <HexViewer {...props} />
  if (how === 'text') return <TextViewer {...props} />
  switch (props.opened.kind.family) {
    case 'tiff':
      return <TiffViewer {...props} />
    case 'dicom':
      return <DicomViewer {...props} />
    case 'image':
      return <ImageViewer {...props} />
    case 'pdf':
      return <PdfViewer {...props} />
    case 'parquet':
      return <ParquetViewer {...props} />
    case 'table':
    case 'variants':
      return <TextTableViewer {...props} />
    case 'text':
      return <TextViewer {...props} />
    case 'gzip':
    case 'other':
      return <HexViewer {...props} />
  }
}
