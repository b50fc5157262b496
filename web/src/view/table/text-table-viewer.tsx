// Tables of text: comma and tab separated, regions (BED) and variants (VCF).
import { Button, Select, Switch } from '@mantine/core'
import '@mantine/core/styles/Combobox.layer.css'
import '@mantine/core/styles/ScrollArea.layer.css'
import { useCallback, useState, type ReactNode } from 'react'
import { CannotShow } from '../cannot-show.ts'
import { useLoaded } from '../use-loaded.ts'
import { OtherWays, type ViewerProps } from '../view-body.tsx'
import { Opens } from '../view-page.tsx'
import { ViewTrouble } from '../view-trouble.tsx'
import { useViewWords } from '../words.ts'
import { SEPARATORS } from './records.ts'
import { RegionSearch } from './region-search.tsx'
import type { TableSource } from './table-source.ts'
import { TableView } from './table-view.tsx'
import { openTextTable, type TextTable, type TextTableChoice } from './text-table.ts'
import { VariantDetails } from './variant-details.tsx'
import styles from './table.module.css'

export function TextTableViewer({ opened, show }: ViewerProps): ReactNode {
  const { bytes, blocks, kind } = opened
  const words = useViewWords()
  const [choice, setChoice] = useState<TextTableChoice>({})
  const load = useCallback(
    async (signal: AbortSignal) => {
      const { format } = kind
      if (format !== 'csv' && format !== 'tsv' && format !== 'bed' && format !== 'vcf') throw new CannotShow('no-table')
      return openTextTable({ bytes, blocks, format, choice }, signal)
    },
    [bytes, blocks, kind, choice],
  )
  const table = useLoaded(load)
  if (table.state === 'loading') return <Opens />
  if (table.state === 'failed')
    return (
      <ViewTrouble error={table.error}>
        <Button variant="default" size="xs" mt={8} mr={8} onClick={() => show('text')}>
          {words.table.asText}
        </Button>
        <OtherWays show={show} />
      </ViewTrouble>
    )
  return <Shown table={table.value} opened={opened} show={show} choose={(next) => setChoice({ ...choice, ...next })} />
}

interface ShownProps extends ViewerProps {
  readonly table: TextTable
  readonly choose: (choice: TextTableChoice) => void
}

function Shown({ table, opened, show, choose }: ShownProps): ReactNode {
  const words = useViewWords()
  const [found, setFound] = useState<TableSource | undefined>()
  const [variant, setVariant] = useState<readonly string[] | undefined>()
  const { file } = opened
  const places = table.format === 'vcf' || table.format === 'bed'
  return (
    <div className={styles.beside}>
      <TableView
        label={words.table.label(file.name)}
        source={found ?? table.source}
        {...(table.format === 'vcf' ? { choose: setVariant } : {})}
      >
        {!places && (
          <>
            <Select
              size="xs"
              w={130}
              aria-label={words.table.separator}
              value={table.dialect.separator}
              allowDeselect={false}
              onChange={(value) => choose({ separator: value ?? ',' })}
              data={SEPARATORS.map((separator) => ({ value: separator, label: words.table.separators[separator] ?? separator }))}
            />
            <Switch
              size="xs"
              label={words.table.header}
              checked={table.header}
              onChange={(event) => choose({ header: event.currentTarget.checked })}
            />
          </>
        )}
        {places && <RegionSearch table={table} file={file} found={setFound} />}
        <Button size="compact-xs" variant="default" onClick={() => show('text')}>
          {words.table.asText}
        </Button>
      </TableView>
      {variant !== undefined && <VariantDetails meta={table.meta} fields={variant} close={() => setVariant(undefined)} />}
    </div>
  )
}
