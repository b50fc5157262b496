// Where everything lies, how well it is, and what can be done about it.
import type { Site, Status } from '#contract'
import { Button, Skeleton } from '@mantine/core'
import { IconAdjustments, IconFileCertificate, IconPlus, IconShieldSearch } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { noteTask, useTasks } from '../site/queries.ts'
import { TaskList } from '../tasks/task-list.tsx'
import { toneOfLocation } from '../pictures/tone.ts'
import { useSpeech } from '../words/words.tsx'
import { ChangePanel } from '../change/change-panel.tsx'
import { Alarms } from './alarms.tsx'
import { LocationCard } from './location-card.tsx'
import { VaultPicture } from './vault-picture.tsx'
import styles from './locations-page.module.css'

const AddLocation = lazy(async () => ({ default: (await import('./add-location.tsx')).AddLocation }))
const ChangeDialog = lazy(async () => ({ default: (await import('../change/change-dialog.tsx')).ChangeDialog }))
const Writers = lazy(async () => ({ default: (await import('./writers.tsx')).Writers }))
const PlacesMap = lazy(async () => ({ default: (await import('../map/places-map.tsx')).PlacesMap }))
const SheetDialog = lazy(async () => ({ default: (await import('../setup/sheet-dialog.tsx')).SheetDialog }))

export function LocationsPage({ status, site }: { readonly status: Status | undefined; readonly site: Site }): ReactNode {
  const { words, measures } = useSpeech()
  const queries = useQueryClient()
  const tasks = useTasks()
  const [dialog, setDialog] = useState<'add' | 'change' | 'sheet' | undefined>()
  const scrub = useMutation({ mutationFn: () => client.scrub({}), onSuccess: (task) => noteTask(queries, task) })
  const checking = tasks.some((task) => task.kind === 'scrub' && task.state === 'running')
  useEffect(() => {
    document.title = `${words.app.locations} · ${words.app.name}`
  }, [words])
  if (status === undefined) return <Skeleton height={420} radius="lg" />
  const vault = status.vault ?? site.vault
  const point = status.recoveryPoint
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>{words.locations.title}</h1>
        {site.abilities.includes('run') && (
          <div className={styles.buttons}>
            <Button
              variant="default"
              leftSection={<IconShieldSearch size={18} aria-hidden />}
              onClick={() => scrub.mutate()}
              loading={checking || scrub.isPending}
              title={words.locations.checkText}
            >
              {words.locations.check}
            </Button>
            <Button variant="default" leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setDialog('add')}>
              {words.locations.add}
            </Button>
            <Button variant="default" leftSection={<IconAdjustments size={18} aria-hidden />} onClick={() => setDialog('change')}>
              {words.change.open}
            </Button>
            <Button variant="default" leftSection={<IconFileCertificate size={18} aria-hidden />} onClick={() => setDialog('sheet')}>
              {words.sheet.show}
            </Button>
          </div>
        )}
      </div>
      <TroubleBox error={scrub.error} retry={() => scrub.mutate()} />
      <section className={styles.picture} aria-label={words.locations.picture}>
        <VaultPicture status={status} />
        <p className={styles.point}>
          {point.at === null ? words.locations.recoveryNone : words.locations.recovery(measures.date(point.at))}{' '}
          {point.pendingChanges > 0 && words.locations.recoveryPending(point.pendingChanges)}
        </p>
      </section>
      <section className={styles.cards} aria-label={words.locations.table}>
        {vault !== null && <ChangePanel />}
        {status.locations.map((location) => (
          <LocationCard key={location.id} location={location} />
        ))}
      </section>
      {status.locations.length > 0 && (
        <section className={styles.block} aria-labelledby="map">
          <h2 id="map">{words.locations.map}</h2>
          <Suspense fallback={<Skeleton height={240} radius="lg" />}>
            <PlacesMap
              label={words.locations.map}
              places={status.locations.map(({ id, label, state }) => ({
                id,
                label,
                tone: toneOfLocation[state],
                state: words.locations.states[state],
              }))}
            />
          </Suspense>
        </section>
      )}
      <Alarms status={status} />
      <Suspense>{vault !== null && <Writers />}</Suspense>
      <TaskList tasks={tasks} />
      <Suspense>
        {dialog === 'add' && (
          <AddLocation number={Math.max(0, ...status.locations.map((location) => location.x)) + 1} close={() => setDialog(undefined)} />
        )}
        {dialog === 'change' && vault !== null && (
          <ChangeDialog vault={vault} locations={status.locations} close={() => setDialog(undefined)} />
        )}
        {dialog === 'sheet' && vault !== null && (
          <SheetDialog vault={vault} locations={status.locations.map((location) => location.label)} close={() => setDialog(undefined)} />
        )}
      </Suspense>
    </div>
  )
}
