// A picture for the kind of a file: scans and images, genomes and tables, texts, everything else.
import { IconFile, IconFileText, IconPhoto, IconScan, IconTable, IconDna2 } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import styles from './file-table.module.css'

const KINDS: readonly { readonly match: RegExp; readonly Icon: typeof IconFile }[] = [
  { match: /\.(dcm|dicom|nii|nii\.gz|mha)$/i, Icon: IconScan },
  { match: /\.(svs|tiff?|png|jpe?g|webp|gif|ndpi|mrxs)$/i, Icon: IconPhoto },
  { match: /\.(bam|bai|cram|vcf|vcf\.gz|bcf|bed|fasta|fastq|fq|fa)(\.gz)?$/i, Icon: IconDna2 },
  { match: /\.(csv|tsv|parquet|xlsx?|ods)(\.gz)?$/i, Icon: IconTable },
  { match: /\.(txt|md|pdf|docx?|odt|json|xml|html?)$/i, Icon: IconFileText },
]

export function FileIcon({ name, type, size = 20 }: { readonly name: string; readonly type: string; readonly size?: number }): ReactNode {
  const byName = KINDS.find(({ match }) => match.test(name))?.Icon
  const byType =
    type === 'application/dicom' ? IconScan : type.startsWith('image/') ? IconPhoto : type.startsWith('text/') ? IconFileText : undefined
  const Icon = byName ?? byType ?? IconFile
  return <Icon size={size} className={styles.fileIcon} stroke={1.6} aria-hidden />
}
