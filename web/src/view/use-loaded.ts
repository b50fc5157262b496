// Something that is being loaded for as long as its viewer is open.
import { useEffect, useState } from 'react'
import { isClosed } from './cannot-show.ts'

export type Loaded<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly value: T }
  | { readonly state: 'failed'; readonly error: unknown }

const LOADING = { state: 'loading' } as const

/** `load` must keep its identity while what it loads is the same. Its signal ends when something else is wanted or the viewer closes. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [loaded, setLoaded] = useState<{ readonly of: unknown; readonly what: Loaded<T> }>({ of: load, what: LOADING })
  useEffect(() => {
    const closing = new AbortController()
    load(closing.signal).then(
      (value) => {
        if (!closing.signal.aborted) setLoaded({ of: load, what: { state: 'ready', value } })
      },
      (error: unknown) => {
        if (!closing.signal.aborted && !isClosed(error)) setLoaded({ of: load, what: { state: 'failed', error } })
      },
    )
    return () => closing.abort()
  }, [load])
  return loaded.of === load ? loaded.what : LOADING
}
