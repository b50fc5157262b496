// Follows the site's server-sent events and reconnects with growing pauses.
import { event as siteEvent, routes, type SiteEvent } from '#contract'

const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 8000
/** Browsers keep few connections to one site: a page that nobody looks at gives its own back. */
const HIDDEN_MS = 30_000
const NAMES = ['message', 'status', 'task', 'files'] as const

interface Follower {
  /** `again` is true after an interruption: whatever was missed has to be asked for. */
  readonly connected: (again: boolean) => void
  readonly interrupted: () => void
  readonly event: (event: SiteEvent) => void
}

/** Begins to follow; answers the function that ends it. */
export function followEvents(follower: Follower): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let hiding: ReturnType<typeof setTimeout> | undefined
  let pauseMs = PAUSE_MS_MIN
  let before = false

  const connect = (): void => {
    source = new EventSource(routes.events.path)
    source.addEventListener('open', () => {
      pauseMs = PAUSE_MS_MIN
      follower.connected(before)
      before = true
    })
    source.addEventListener('error', () => {
      source?.close()
      follower.interrupted()
      timer = setTimeout(connect, pauseMs * (0.8 + 0.4 * Math.random()))
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)
    })
    for (const name of NAMES)
      source.addEventListener(name, (message: MessageEvent<string>) => {
        const event = parseEvent(name, message.data)
        if (event !== undefined) follower.event(event)
      })
  }
  const rest = (): void => {
    clearTimeout(timer)
    source?.close()
    source = undefined
  }
  const look = (): void => {
    clearTimeout(hiding)
    if (document.hidden) hiding = setTimeout(rest, HIDDEN_MS)
    else if (source === undefined) connect()
  }
  connect()
  document.addEventListener('visibilitychange', look)
  return () => {
    document.removeEventListener('visibilitychange', look)
    clearTimeout(hiding)
    rest()
  }
}

/** Tolerates what a newer site may send: unknown events are passed over. */
export function parseEvent(name: string, data: string): SiteEvent | undefined {
  try {
    const value: unknown = JSON.parse(data)
    const parsed = siteEvent.safeParse(value)
    if (parsed.success) return parsed.data
    const named = siteEvent.safeParse(name === 'files' ? Object.assign({ kind: name }, value) : { kind: name, [name]: value })
    return named.success ? named.data : undefined
  } catch {
    return undefined
  }
}
