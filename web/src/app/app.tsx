// Decides what the person sees: the start link, a stopped site, the first vault, or the vault.
import { isFailure } from '#base'
import { useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react'
import { openWith, takeCode, useInvitation } from '../site/session.ts'
import { SiteStopped } from '../site/reach.ts'
import { useSite } from '../site/queries.ts'
import { useRoute } from './route.ts'
import { TroubleBox } from './trouble-box.tsx'
import { Guard } from './guard.tsx'
import { Invited, Outside } from './outside.tsx'
import { Stage } from './stage.tsx'
import { Stopped } from './stopped.tsx'
import { Waiting } from './waiting.tsx'
import { useWords } from '../words/words.tsx'

const Shell = lazy(async () => ({ default: (await import('./shell.tsx')).Shell }))
const Setup = lazy(async () => ({ default: (await import('../setup/setup.tsx')).Setup }))

type Entrance = 'opening' | 'open' | 'spent'

const firstCode = takeCode()

export function App(): ReactNode {
  const entrance = useEntrance()
  if (entrance === 'opening') return <Waiting />
  return (
    <Guard>
      <Suspense fallback={<Waiting />}>
        <Entered spent={entrance === 'spent'} />
      </Suspense>
    </Guard>
  )
}

function Entered({ spent }: { readonly spent: boolean }): ReactNode {
  const invitation = useInvitation()
  return invitation === undefined ? <Inside spent={spent} /> : <Invited key={invitation} token={invitation} />
}

function Inside({ spent }: { readonly spent: boolean }): ReactNode {
  const site = useSite()
  const route = useRoute()
  const [welcome, setWelcome] = useState(false)
  if (site.error !== null && isFailure(site.error, 'access.unauthenticated')) return <Outside spent={spent} />
  if (site.data === undefined) {
    if (site.isPending) return <Waiting />
    if (site.error instanceof SiteStopped) return <Stopped />
    return (
      <Stage>
        <TroubleBox error={site.error} retry={() => void site.refetch()} />
      </Stage>
    )
  }
  if (site.data.vault === null && route.page !== 'api' && !site.data.abilities.includes('run')) return <NoVault />
  if ((site.data.vault === null && route.page !== 'api') || welcome)
    return <Setup site={site.data} making={() => setWelcome(true)} done={() => setWelcome(false)} />
  return <Shell site={site.data} />
}

/** Before there is a vault only who runs the site has something to do. */
function NoVault(): ReactNode {
  const words = useWords()
  return (
    <Stage>
      <h1>{words.app.noVault}</h1>
      <p>{words.app.noVaultText}</p>
    </Stage>
  )
}

/** Exchanges the code in the address, now or when a new link is opened in this tab. */
function useEntrance(): Entrance {
  const queries = useQueryClient()
  const [entrance, setEntrance] = useState<Entrance>(firstCode === undefined ? 'open' : 'opening')
  useEffect(() => {
    const enter = (code: string | undefined): void => {
      if (code === undefined) return
      openWith(code)
        .then(() => setEntrance('open'))
        .catch((error: unknown) => setEntrance(error instanceof SiteStopped ? 'open' : 'spent'))
        .finally(() => void queries.resetQueries())
    }
    enter(pendingCode())
    const changed = (): void => enter(takeCode())
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [queries])
  return entrance
}

let unused = firstCode

/** The first code, once: React may run an effect twice. */
function pendingCode(): string | undefined {
  const code = unused
  unused = undefined
  return code
}
