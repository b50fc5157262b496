// The strip on top: whose vault, where am I, is it well.
import type { Ability, Site, Status } from '#contract'
import { ActionIcon } from '@mantine/core'
import { IconActivityHeartbeat, IconFolder, IconKeyboard, IconTimeline, IconTopologyStar3, IconTrash } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Bell } from '../alarms/bell.tsx'
import { AccountMenu } from '../people/account-menu.tsx'
import { Mark } from '../pictures/mark.tsx'
import { toneOfHealth } from '../pictures/tone.ts'
import { TonePill } from '../pictures/tone-icon.tsx'
import { useReach } from '../site/reach.ts'
import { useWords } from '../words/words.tsx'
import { Preferences } from './preferences.tsx'
import { hrefOf, type Route } from './route.ts'
import styles from './header.module.css'

type Page = Route['page']

interface HeaderProps {
  readonly site: Site
  readonly status: Status | undefined
  readonly page: Page
  readonly help: () => void
}

export function Header({ site, status, page, help }: HeaderProps): ReactNode {
  const words = useWords()
  return (
    <header className={styles.header}>
      <a className={styles.brand} href={hrefOf({ page: 'files', path: '/' })}>
        <Mark />
        <span className={styles.name}>{words.app.name}</span>
        {site.vault !== null && <span className={styles.vault}>{site.vault.name}</span>}
      </a>
      <nav className={styles.tabs} aria-label={words.app.pages}>
        <Tabs page={page} abilities={site.abilities} />
      </nav>
      <span className={styles.space} />
      {status !== undefined && <HealthPill health={status.health} />}
      {site.abilities.includes('look') && <Bell current={page === 'alarms'} />}
      <ActionIcon
        className={styles.keys}
        variant="subtle"
        size="lg"
        color="gray"
        c="var(--ink)"
        onClick={help}
        aria-label={words.app.shortcuts}
        title={`${words.app.shortcuts} (?)`}
      >
        <IconKeyboard size={20} aria-hidden />
      </ActionIcon>
      <AccountMenu />
      <Preferences />
    </header>
  )
}

function HealthPill({ health }: { readonly health: Status['health'] }): ReactNode {
  const words = useWords()
  const stopped = useReach() === 'stopped'
  const word = stopped ? words.health.unknown : words.health[health]
  return (
    <a
      className={styles.health}
      href={hrefOf({ page: 'locations' })}
      aria-label={`${words.health.label}: ${word}`}
      data-testid="health"
      data-health={stopped ? 'unknown' : health}
    >
      <TonePill tone={stopped ? 'idle' : toneOfHealth[health]}>{word}</TonePill>
    </a>
  )
}

/** The same pages at the thumb, on phones. */
export function PhoneTabs({ page, abilities }: TabsProps): ReactNode {
  const words = useWords()
  return (
    <nav className={styles.phone} aria-label={words.app.pages}>
      <Tabs page={page} abilities={abilities} />
    </nav>
  )
}

interface TabsProps {
  readonly page: Page
  readonly abilities: readonly Ability[]
}

/** Only what the person may look at. */
function Tabs({ page, abilities }: TabsProps): ReactNode {
  const words = useWords()
  const looks = abilities.includes('look')
  return (
    <>
      <a
        className={styles.tab}
        href={hrefOf({ page: 'files', path: '/' })}
        aria-current={page === 'files' || page === 'view' ? 'page' : undefined}
      >
        <IconFolder size={18} aria-hidden /> {words.app.files}
      </a>
      {looks && (
        <>
          <a className={styles.tab} href={hrefOf({ page: 'locations' })} aria-current={page === 'locations' ? 'page' : undefined}>
            <IconTopologyStar3 size={18} aria-hidden /> {words.app.locations}
          </a>
          <a
            className={styles.tab}
            href={hrefOf({ page: 'health' })}
            aria-current={page === 'health' || page === 'planner' ? 'page' : undefined}
          >
            <IconActivityHeartbeat size={18} aria-hidden /> {words.app.health}
          </a>
        </>
      )}
      <a className={styles.tab} href={hrefOf({ page: 'trash' })} aria-current={page === 'trash' ? 'page' : undefined}>
        <IconTrash size={18} aria-hidden /> {words.trash.title}
      </a>
      {abilities.includes('records') && (
        <a className={styles.tab} href={hrefOf({ page: 'audit' })} aria-current={page === 'audit' ? 'page' : undefined}>
          <IconTimeline size={18} aria-hidden /> {words.app.activity}
        </a>
      )}
    </>
  )
}
