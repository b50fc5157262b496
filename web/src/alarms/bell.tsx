// The bell in the header: how many alarms nobody has seen.
import { ActionIcon } from '@mantine/core'
import { IconBell } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { hrefOf } from '../app/route.ts'
import { client } from '../site/client.ts'
import { useWords } from '../words/words.tsx'
import styles from './bell.module.css'
import { every, isDenied } from './permitted.ts'

const REFRESH_MS = 10_000
const SHOWN_MAX = 99

export function Bell({ current }: { readonly current: boolean }): ReactNode {
  const words = useWords()
  const { data, error } = useQuery({
    queryKey: ['alarms', 'bell'],
    queryFn: ({ signal }) => client.alarms({ limit: 1 }, { signal }),
    refetchInterval: every(REFRESH_MS),
    retry: false,
  })
  if (isDenied(error)) return null
  const open = data?.counts.open ?? 0
  const shown = open > SHOWN_MAX ? `${SHOWN_MAX}+` : String(open)
  const label = open === 0 ? words.app.alarms : words.app.alarmsOpen(shown)
  return (
    <ActionIcon
      component="a"
      className={styles.bell}
      href={hrefOf({ page: 'alarms' })}
      variant="subtle"
      size="lg"
      color="gray"
      c="var(--ink)"
      aria-label={label}
      aria-current={current ? 'page' : undefined}
      title={label}
      data-testid="bell"
    >
      <IconBell size={20} aria-hidden />
      {open > 0 && (
        <span className={styles.count} aria-hidden>
          {shown}
        </span>
      )}
    </ActionIcon>
  )
}
