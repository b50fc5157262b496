// A Parquet file as a table.
import { useCallback, type ReactNode } from 'react'
import { useLoaded } from '../use-loaded.ts'
import { OtherWays, type ViewerProps } from '../view-body.tsx'
import { Opens } from '../view-page.tsx'
import { ViewTrouble } from '../view-trouble.tsx'
import { useViewWords } from '../words.ts'
import { openParquet } from './parquet-source.ts'
import { TableView } from './table-view.tsx'

export function ParquetViewer({ opened: { bytes, file }, show }: ViewerProps): ReactNode {
  const words = useViewWords()
  const load = useCallback((signal: AbortSignal) => openParquet(bytes, signal), [bytes])
  const source = useLoaded(load)
  if (source.state === 'loading') return <Opens />
  if (source.state === 'failed')
    return (
      <ViewTrouble error={source.error}>
        <OtherWays show={show} />
      </ViewTrouble>
    )
  return <TableView label={words.table.label(file.name)} source={source.value} />
}
