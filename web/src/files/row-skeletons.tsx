// Grey rows while a list is on its way.
import { Skeleton } from '@mantine/core'
import type { ReactNode } from 'react'
import { useWords } from '../words/words.tsx'

const ROWS = ['70%', '55%', '64%', '48%', '60%']

export function RowSkeletons(): ReactNode {
  const words = useWords()
  return (
    <div aria-busy="true" aria-label={words.app.loading} role="group">
      {ROWS.map((width) => (
        <Skeleton key={width} height={18} my={18} width={width} />
      ))}
    </div>
  )
}
