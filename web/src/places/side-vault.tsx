// Beside the files: where all of them lie.
import type { Status } from '#contract'
import { Skeleton } from '@mantine/core'
import type { ReactNode } from 'react'
import { useReach } from '../site/reach.ts'
import { useWords } from '../words/words.tsx'
import styles from './side-vault.module.css'
import { VaultPicture } from './vault-picture.tsx'

export function SideVault({ status }: { readonly status: Status | undefined }): ReactNode {
  const words = useWords()
  const stopped = useReach() === 'stopped'
  return (
    <>
      <h2 className={styles.title}>{words.locations.title}</h2>
      {status === undefined ? <Skeleton height={300} radius="lg" /> : <VaultPicture status={status} />}
      {!stopped && status?.health === 'healthy' && status.files > 0 && <p className={styles.text}>{words.health.healthyText}</p>}
    </>
  )
}
