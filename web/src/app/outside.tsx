// In front of the site: the sign-in of a site with people, the start link of a site without, and invitations.
import { useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, type ReactNode } from 'react'
import { useMe } from '../people/queries.ts'
import { closeInvitation } from '../site/session.ts'
import { SignIn } from './sign-in.tsx'
import { Stage } from './stage.tsx'
import { TroubleBox } from './trouble-box.tsx'
import { Waiting } from './waiting.tsx'

const SignInPage = lazy(async () => ({ default: (await import('../people/sign-in-page.tsx')).SignInPage }))
const AcceptPage = lazy(async () => ({ default: (await import('../people/accept-page.tsx')).AcceptPage }))

/** Nobody whom the site knows. */
export function Outside({ spent }: { readonly spent: boolean }): ReactNode {
  const queries = useQueryClient()
  const me = useMe()
  if (me.data === undefined) return me.error === null ? <Waiting /> : <Failed error={me.error} retry={() => void me.refetch()} />
  if (!me.data.administered && me.data.provider === null) return <SignIn spent={spent} />
  return (
    <Suspense fallback={<Waiting />}>
      <SignInPage me={me.data} done={() => void queries.resetQueries()} />
    </Suspense>
  )
}

export function Invited({ token }: { readonly token: string }): ReactNode {
  const queries = useQueryClient()
  const me = useMe()
  if (me.data === undefined) return me.error === null ? <Waiting /> : <Failed error={me.error} retry={() => void me.refetch()} />
  const done = (): void => {
    closeInvitation()
    void queries.resetQueries()
  }
  return (
    <Suspense fallback={<Waiting />}>
      <AcceptPage token={token} me={me.data} done={done} />
    </Suspense>
  )
}

function Failed({ error, retry }: { readonly error: unknown; readonly retry: () => void }): ReactNode {
  return (
    <Stage>
      <TroubleBox error={error} retry={retry} />
    </Stage>
  )
}
