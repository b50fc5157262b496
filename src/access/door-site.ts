// The part of the door for the site itself: who may look, who may run it, in one table.
import { Failure } from '#base'
import { ability, type Ability, type SiteEvent, type Task } from '#contract'
import type { SiteStorage } from '#storage'
import type { Authority } from './authority.ts'
import type { Door } from './door.ts'
import type { Deed, DeedKind } from './ledger.ts'
import { covers } from './rights.ts'

interface Rule {
  /** Nothing = whoever may enter. */
  readonly needs?: Ability
  /** What the audit log calls it; looking at the site leaves no leaf. */
  readonly leaf?: DeedKind
  /** What of the request goes beside the leaf. Never a secret: addresses of locations may hold one. */
  readonly detail?: (request: never) => Deed['detail']
}

type TaskDoor = 'tasks' | 'task' | 'cancelTask' | 'events'

/** What concerns no single file. Files, trash, uploads and grants are asked about by path, in files of their own. */
const RULES = {
  site: {},
  status: { needs: 'look' },
  health: { needs: 'look' },
  healthHistory: { needs: 'look' },
  change: { needs: 'look' },
  previewChange: { needs: 'look' },
  plan: { needs: 'look' },
  lastDrill: { needs: 'look' },
  verifyDrill: { needs: 'look' },
  writers: { needs: 'look' },
  createVault: {
    needs: 'run',
    leaf: 'vault',
    detail: ({ name = '', threshold }: { name?: string; threshold: number }) => ({ name, threshold }),
  },
  addLocation: { needs: 'run', leaf: 'location', detail: ({ label = '' }: { label?: string }) => ({ added: label }) },
  testLocation: { needs: 'run' },
  setTraits: { needs: 'run', leaf: 'location', detail: ({ location }: { location: string }) => ({ location }) },
  requestChange: { needs: 'run', leaf: 'change' },
  steerChange: { needs: 'run', leaf: 'change' },
  scrub: { needs: 'run', leaf: 'scrub', detail: ({ depth }: { depth: string }) => ({ depth }) },
  setHealth: { needs: 'run', leaf: 'settings' },
  repair: { needs: 'run', leaf: 'repair' },
  previewImport: { needs: 'run' },
  importFiles: { needs: 'run', leaf: 'import', detail: ({ source, path }: { source: string; path: string }) => ({ source, path }) },
  drill: { needs: 'run', leaf: 'drill', detail: ({ files }: { files: number }) => ({ files }) },
  makeKit: {
    needs: 'run',
    leaf: 'kit',
    detail: ({
      officers,
      credentials,
      signingKeys,
    }: {
      officers: readonly { name: string }[]
      credentials: boolean
      signingKeys: boolean
    }) => ({
      officers: officers.map(({ name }) => name).join(', '),
      credentials: Number(credentials),
      signingKeys: Number(signingKeys),
    }),
  },
  restore: { needs: 'run', leaf: 'recover' },
  join: { needs: 'run', leaf: 'recover' },
  recover: { needs: 'run', leaf: 'recover' },
  writerKey: { needs: 'run' },
  addWriter: { needs: 'run', leaf: 'writer', detail: ({ name }: { name: string }) => ({ added: name }) },
  removeWriter: { needs: 'run', leaf: 'writer', detail: ({ writer }: { writer: string }) => ({ removed: writer }) },
  acknowledge: { needs: 'run', leaf: 'alarm', detail: ({ alarm }: { alarm: string }) => ({ acknowledged: alarm }) },
} as const satisfies { readonly [M in keyof Door]?: Rule }

export type SiteDoor = Pick<Door, keyof typeof RULES>

export const SITE_RULES: Readonly<Record<string, Rule>> = RULES

export function siteDoor({ storage, authority }: { readonly storage: SiteStorage; readonly authority: Authority }): SiteDoor {
  const door: Record<string, (request: never) => Promise<unknown>> = {}
  for (const [name, rule] of Object.entries(SITE_RULES)) {
    const rooms = storage as unknown as Record<string, (request: never) => Promise<unknown>>
    const work = (request: never): Promise<unknown> => rooms[name]!(request)
    door[name] = async (request) => {
      const kind = rule.leaf ?? 'settings'
      if (rule.needs !== undefined) await authority.demandAble(kind, rule.needs)
      return rule.leaf === undefined ? work(request) : authority.noted(rule.leaf, rule.detail?.(request), () => work(request))
    }
  }
  door['site'] = async () => ({ ...(await storage.site()), abilities: ability.options.filter((one) => authority.able(one)) })
  return door as unknown as SiteDoor
}

/** Who started a task, as long as the site remembers it. */
export class TaskBook {
  readonly #owners = new Map<string, string>()

  note(task: Task, by: string): Task {
    this.#owners.set(task.id, by)
    const [oldest] = this.#owners.keys()
    if (this.#owners.size > 10_000 && oldest !== undefined) this.#owners.delete(oldest)
    return task
  }

  isOf(task: Task, by: string): boolean {
    return this.#owners.get(task.id) === by
  }
}

/** Long work: its title and its findings name files, so it is seen by who started it and by who runs the site. */
export function taskDoor({
  storage,
  authority,
  book,
}: {
  readonly storage: SiteStorage
  readonly authority: Authority
  readonly book: TaskBook
}): Pick<Door, TaskDoor> {
  const sees = (task: Task): boolean => authority.able('run') || book.isOf(task, authority.by)
  const theirs = (id: string): Task => {
    const task = storage.task(id)
    if (!sees(task))
      throw new Failure('access.denied', { detail: 'Somebody else started this.', next: 'Ask an administrator of this site.' })
    return task
  }

  const shown = async (event: SiteEvent): Promise<boolean> => {
    if (authority.actor.kind === 'local') return true
    if (event.kind === 'status') return authority.able('look')
    if (event.kind === 'task') return sees(event.task)
    // Of what lies in the trash nobody hears.
    return covers(await authority.right(event.path).catch(() => null), 'read')
  }

  return {
    tasks: async () => storage.tasks().filter(sees),
    task: async (id) => theirs(id),
    cancelTask: async (id) => {
      theirs(id)
      return storage.cancelTask(id)
    },
    async *events(signal) {
      for await (const event of storage.events(signal)) {
        await authority.stillMayEnter()
        if (await shown(event)) yield event
      }
    },
  }
}
