// A site without a vault: what a vault is, and one made in a minute.
import type { Site, VaultSummary } from '#contract'
import { useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from 'react'
import { Stage } from '../app/stage.tsx'
import { keys } from '../site/queries.ts'
import { useWords } from '../words/words.tsx'
import { Lesson } from './lesson.tsx'
import { VaultForm } from './vault-form.tsx'
import styles from './setup.module.css'

const SheetPage = lazy(async () => ({ default: (await import('./sheet-page.tsx')).SheetPage }))
const RestoreForm = lazy(async () => ({ default: (await import('../restore/restore-form.tsx')).RestoreForm }))
const RecoverForm = lazy(async () => ({ default: (await import('./recover-form.tsx')).RecoverForm }))

interface Made {
  readonly vault: VaultSummary
  readonly locations: readonly string[]
}

interface SetupProps {
  readonly site: Site
  /** The vault is there, but its recovery sheet is to be seen first. */
  readonly making: () => void
  readonly done: () => void
}

export function Setup({ site, making, done }: SetupProps): ReactNode {
  const words = useWords()
  const queries = useQueryClient()
  const [made, setMade] = useState<Made | undefined>()
  const [way, setWay] = useState<'make' | 'recover' | 'restore'>('make')
  const heading = useRef<HTMLHeadingElement>(null)
  const moved = useRef(false)
  useEffect(() => {
    document.title = `${words.setup.title} · ${words.app.name}`
  }, [words])
  useEffect(() => {
    if (moved.current) heading.current?.focus()
    moved.current = true
  }, [way])
  const finish = (next: Made): void => {
    making()
    setMade(next)
    void queries.invalidateQueries({ queryKey: keys.site })
    scrollTo({ top: 0 })
  }
  const leave = (): void => {
    void queries.invalidateQueries()
    done()
  }
  if (made !== undefined)
    return (
      <Stage wide>
        <Suspense>
          <SheetPage vault={made.vault} locations={made.locations} go={leave} />
        </Suspense>
      </Stage>
    )
  return (
    <Stage wide>
      <div className={styles.setup} data-recovering={way !== 'make'}>
        <div>
          <h1 ref={heading} tabIndex={-1} className={styles.heading}>
            {{ make: words.setup.title, recover: words.recover.title, restore: words.recover.kitTitle }[way]}
          </h1>
          <p className={styles.lead}>{{ make: words.setup.lead, recover: words.recover.text, restore: words.recover.kitText }[way]}</p>
          <Suspense>
            {way === 'recover' && <RecoverForm back={() => setWay('make')} done={leave} />}
            {way === 'restore' && <RestoreForm back={() => setWay('make')} done={leave} />}
          </Suspense>
          {way === 'make' && (
            <>
              <VaultForm site={site} made={finish} />
              <p className={styles.have}>
                {words.setup.have}{' '}
                <button type="button" className={styles.link} onClick={() => setWay('recover')}>
                  {words.setup.recover}
                </button>
                {', '}
                <button type="button" className={styles.link} onClick={() => setWay('restore')}>
                  {words.setup.restore}
                </button>
              </p>
            </>
          )}
        </div>
        <Lesson />
      </div>
    </Stage>
  )
}
