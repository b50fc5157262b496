// Degraded or unreadable: what it means, and one button that mends it.
import type { Status } from '#contract'
import { Button } from '@mantine/core'
import { IconTools } from '@tabler/icons-react'
import { useEffect, useRef, type ReactNode } from 'react'
import { toneOfHealth } from '../pictures/tone.ts'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { RepairOutcome } from '../tasks/repair-outcome.tsx'
import { TaskProgress } from '../tasks/task-progress.tsx'
import { useRepair } from '../tasks/use-repair.ts'
import { useWords } from '../words/words.tsx'
import { announce } from './announce.tsx'
import { TroubleBox } from './trouble-box.tsx'
import styles from './health-banner.module.css'

export function HealthBanner({ status }: { readonly status: Status | undefined }): ReactNode {
  const words = useWords()
  const repair = useRepair()
  useSayHealth(status?.health)
  const sick = status !== undefined && (status.health === 'degraded' || status.health === 'unreadable' || status.repairDue > 0)
  if (!sick && repair.running === undefined) return null
  const health = status?.health ?? 'healthy'
  return (
    <section className={styles.banner} data-tone={toneOfHealth[health]} aria-label={words.health.label} data-testid="banner">
      <div className={styles.inner}>
        <ToneIcon tone={toneOfHealth[health]} size={22} />
        <div className={styles.text}>
          <HealthSentence status={status} sick={sick} />
        </div>
        {repair.running === undefined ? (
          <Button leftSection={<IconTools size={18} aria-hidden />} onClick={repair.start} loading={repair.starting} className={styles.act}>
            {words.health.repair}
          </Button>
        ) : (
          <div className={styles.progress}>
            <TaskProgress task={repair.running} />
          </div>
        )}
      </div>
      {repair.error !== null && (
        <div className={styles.inner}>
          <TroubleBox error={repair.error} retry={repair.start} />
        </div>
      )}
      {repair.ended !== undefined && repair.running === undefined && (
        <div className={styles.trouble}>
          <RepairOutcome task={repair.ended} />
        </div>
      )}
    </section>
  )
}

function HealthSentence({ status, sick }: { readonly status: Status | undefined; readonly sick: boolean }): ReactNode {
  const { health } = useWords()
  if (status === undefined || !sick) return <span>{health.filling}</span>
  if (status.health === 'unreadable')
    return (
      <>
        <strong>{health.unreadableTitle}</strong>
        <span>{health.unreadableText(status.vault?.threshold ?? 2)}</span>
      </>
    )
  const away = status.locations.some((location) => location.state === 'unreachable')
  return (
    <>
      <strong>{health.degradedTitle}</strong>
      <span>
        {health.degradedText(status.repairDue)} {away && health.waiting}
      </span>
    </>
  )
}

function useSayHealth(health: Status['health'] | undefined): void {
  const words = useWords()
  const before = useRef(health)
  useEffect(() => {
    if (health !== undefined && before.current !== undefined && before.current !== health) announce(words.health.changed[health])
    before.current = health
  }, [health, words])
}
