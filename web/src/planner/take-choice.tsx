// From a choice to the change that makes the vault so; what the vault lacks for it is named.
import type { PlanOption } from '#contract'
import { Button } from '@mantine/core'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { go, hrefOf } from '../app/route.ts'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { useStatus } from '../site/queries.ts'
import styles from './planner.module.css'
import { usePlannerWords } from './words.ts'

const ChangeDialog = lazy(async () => ({ default: (await import('../change/change-dialog.tsx')).ChangeDialog }))

export function TakeChoice({ option, isNow }: { readonly option: PlanOption; readonly isNow: boolean }): ReactNode {
  const words = usePlannerWords()
  const { data: status } = useStatus()
  const [open, setOpen] = useState(false)
  const { change } = option
  if (isNow) return <p className={styles.soft}>{words.isNow}</p>
  if (change === null || status === undefined || status.vault === null) return null
  if (change.add.length > 0)
    return (
      <p className={styles.mind} role="note">
        <ToneIcon tone="idle" />
        <span>
          {words.addFirst(change.add.join(', '))} <a href={hrefOf({ page: 'locations' })}>{words.toAdd}</a>
        </span>
      </p>
    )
  return (
    <>
      <div>
        <Button onClick={() => setOpen(true)}>{words.take}</Button>
      </div>
      {open && (
        <Suspense>
          <ChangeDialog
            vault={status.vault}
            locations={status.locations}
            wanted={change}
            begun={() => go({ page: 'locations' })}
            close={() => setOpen(false)}
          />
        </Suspense>
      )}
    </>
  )
}
