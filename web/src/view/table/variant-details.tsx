// One variant in words: what its INFO says, with the descriptions of the header, and each person's genotype.
import { ActionIcon } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import VCF, { type Variant } from '@gmod/vcf'
import { useMemo, type ReactNode } from 'react'
import { useViewWords } from '../words.ts'
import styles from './table.module.css'

interface VariantDetailsProps {
  readonly meta: string
  readonly fields: readonly string[]
  readonly close: () => void
}

const SAMPLES_MAX = 200

export function VariantDetails({ meta, fields, close }: VariantDetailsProps): ReactNode {
  const words = useViewWords()
  const parser = useMemo(() => new VCF({ header: meta, strict: false }), [meta])
  const variant = useMemo(() => parsed(parser, fields), [parser, fields])
  if (variant === undefined) return null
  const genotypes = Object.entries(variant.GENOTYPES()).slice(0, SAMPLES_MAX)
  return (
    <section className={styles.variant} aria-label={words.table.variant} data-testid="variant">
      <h2>
        {fields[0]}:{fields[1]} {fields[3]} &gt; {fields[4]}
        <ActionIcon variant="subtle" color="gray" c="var(--ink)" size="sm" ml={8} onClick={close} aria-label={words.close}>
          <IconX size={16} aria-hidden />
        </ActionIcon>
      </h2>
      <dl>
        {Object.entries(variant.INFO).map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt title={descriptionOf(parser, name)}>{name}</dt>
            <dd>
              {Array.isArray(value) ? value.join(', ') : String(value)} <small>{descriptionOf(parser, name)}</small>
            </dd>
          </div>
        ))}
        {genotypes.map(([sample, genotype]) => (
          <div key={`sample ${sample}`} style={{ display: 'contents' }}>
            <dt>{sample}</dt>
            <dd>{genotype === '' ? words.table.missing : genotype}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function parsed(parser: VCF, fields: readonly string[]): Variant | undefined {
  try {
    return parser.parseLine(fields.join('\t'))
  } catch {
    // A row that is no variant has nothing more to say than its fields.
    return undefined
  }
}

function descriptionOf(parser: VCF, name: string): string {
  const description: unknown = parser.getMetadata('INFO', name, 'Description')
  return typeof description === 'string' ? description : ''
}
