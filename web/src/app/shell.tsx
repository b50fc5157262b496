// The vault's page: header, health, the chosen page, and what is under way.
import type { Site } from '#contract'
import { isFailure } from '#base'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { FilesPage } from '../files/files-page.tsx'
import { useLive } from '../site/live.ts'
import { useStatus } from '../site/queries.ts'
import { Dock } from '../uploads/dock.tsx'
import { useWords } from '../words/words.tsx'
import { Guard } from './guard.tsx'
import { Header, PhoneTabs } from './header.tsx'
import { HealthBanner } from './health-banner.tsx'
import { NoticeCorner } from './notice-corner.tsx'
import { useRoute } from './route.ts'
import { Outside } from './outside.tsx'
import { skipToContent } from './stage.tsx'
import { StoppedStrip } from './stopped.tsx'
import { usePageKeys } from './use-page-keys.ts'
import { usePublishedHeight } from './use-published-height.ts'
import styles from './shell.module.css'

const LocationsPage = lazy(async () => ({ default: (await import('../places/locations-page.tsx')).LocationsPage }))
const HealthPage = lazy(async () => ({ default: (await import('../health/health-page.tsx')).HealthPage }))
const PlannerPage = lazy(async () => ({ default: (await import('../planner/planner-page.tsx')).PlannerPage }))
const TrashPage = lazy(async () => ({ default: (await import('../trash/trash-page.tsx')).TrashPage }))
const AlarmsPage = lazy(async () => ({ default: (await import('../alarms/alarms-page.tsx')).AlarmsPage }))
const AuditPage = lazy(async () => ({ default: (await import('../audit/audit-page.tsx')).AuditPage }))
const ApiPage = lazy(async () => ({ default: (await import('../api-docs/api-page.tsx')).ApiPage }))
const ViewPage = lazy(async () => ({ default: (await import('../view/view-page.tsx')).ViewPage }))
const PeoplePage = lazy(async () => ({ default: (await import('../people/people-page.tsx')).PeoplePage }))
const AccountPage = lazy(async () => ({ default: (await import('../people/account-page.tsx')).AccountPage }))
const Shortcuts = lazy(async () => ({ default: (await import('./shortcuts.tsx')).Shortcuts }))

export function Shell({ site }: { readonly site: Site }): ReactNode {
  const words = useWords()
  const route = useRoute()
  const status = useStatus()
  const [help, setHelp] = useState(false)
  const top = usePublishedHeight<HTMLDivElement>('--top-height', true)
  useLive()
  usePageKeys(() => setHelp(true))
  if (isFailure(status.error, 'access.unauthenticated')) return <Outside spent={false} />
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#content" onClick={skipToContent}>
        {words.app.skip}
      </a>
      <div ref={top} className={styles.top}>
        <Header site={site} status={status.data} page={route.page} help={() => setHelp(true)} />
        <StoppedStrip />
        <HealthBanner status={status.data} />
      </div>
      <main id="content" tabIndex={-1} className={styles.main}>
        <Guard key={route.page}>
          <Suspense fallback={<div aria-busy="true" className={styles.pending} />}>
            {route.page === 'files' && <FilesPage route={route} status={status.data} />}
            {route.page === 'view' && <ViewPage path={route.path} version={route.version} />}
            {route.page === 'locations' && <LocationsPage status={status.data} site={site} />}
            {route.page === 'health' && <HealthPage />}
            {route.page === 'planner' && <PlannerPage />}
            {route.page === 'trash' && <TrashPage />}
            {route.page === 'audit' && <AuditPage />}
            {route.page === 'alarms' && <AlarmsPage />}
            {route.page === 'api' && <ApiPage />}
            {route.page === 'people' && <PeoplePage />}
            {route.page === 'account' && <AccountPage />}
          </Suspense>
        </Guard>
      </main>
      <Dock />
      <PhoneTabs page={route.page} abilities={site.abilities} />
      <NoticeCorner />
      {help && (
        <Suspense>
          <Shortcuts close={() => setHelp(false)} />
        </Suspense>
      )}
    </div>
  )
}
