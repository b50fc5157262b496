// People, a ledger and a site for tests of the door.
import type { Access, Deed, Door, People, Person } from '#access'
import type { AuditLog } from '#audit'
import { createAccess } from '#access'
import { type Clock, systemClock } from '#base'
import type { Role, Scope } from '#contract'
import { makeSite, type TestSite } from '../storage/site.ts'

export interface MemoryLedger {
  readonly audit: AuditLog
  readonly deeds: Deed[]
  /** The next leaves cannot be written. */
  broken: boolean
}

export function memoryLedger(): MemoryLedger {
  const deeds: Deed[] = []
  const note = async (deed: Deed): Promise<{ readonly index: number }> => {
    if (memory.broken) throw new Error('the log cannot be written')
    return { index: deeds.push(deed) - 1 }
  }
  const memory: MemoryLedger = {
    deeds,
    broken: false,
    audit: {
      append: note,
      appendIn: (_tx: unknown, all: readonly Deed[]) => Promise.all(all.map(note)),
      opening: note,
      revoked: () => undefined,
    } as unknown as AuditLog,
  }
  return memory
}

/** A site that knows nobody. */
export const nobody: People = { present: async () => undefined, names: async () => new Map(), find: async () => [] }

export class Staff implements People {
  readonly #people = new Map<string, Person>()
  readonly #groups = new Map<string, string>()

  hire(
    number: number,
    given: { readonly roles?: readonly Role[]; readonly groups?: readonly number[]; readonly scope?: Scope } = {},
  ): Person {
    const person: Person = {
      kind: 'person',
      id: idOf(number),
      name: `person ${number}`,
      roles: given.roles ?? ['researcher'],
      groups: (given.groups ?? []).map(groupId),
      means: 'session',
      ...(given.scope === undefined ? {} : { scope: given.scope }),
    }
    this.#people.set(person.id, person)
    for (const group of person.groups) this.#groups.set(group, `group ${group.slice(-2)}`)
    return person
  }

  group(number: number): string {
    this.#groups.set(groupId(number), `group ${number}`)
    return groupId(number)
  }

  leave(person: Person): void {
    this.#people.delete(person.id)
  }

  async present(person: Person): Promise<Person | undefined> {
    return this.#people.get(person.id)
  }

  async find({ text }: { readonly text: string }): ReturnType<People['find']> {
    return [...this.#people.values()].flatMap(({ id, name }) =>
      name.includes(text) ? [{ to: { kind: 'person' as const, id }, name }] : [],
    )
  }

  async names(subjects: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const names = new Map<string, string>()
    for (const subject of subjects) {
      const [kind, id = ''] = subject.split(':')
      const name = kind === 'person' ? this.#people.get(id)?.name : this.#groups.get(id)
      if (name !== undefined) names.set(subject, name)
    }
    return names
  }
}

export function idOf(number: number): string {
  return number.toString(16).padStart(32, '0')
}

export function groupId(number: number): string {
  return (0xa00 + number).toString(16).padStart(32, '0')
}

export interface Desk extends AsyncDisposable {
  readonly site: TestSite
  readonly access: Access
  readonly memory: MemoryLedger
  readonly staff: Staff
  /** The person at the machine. */
  readonly local: Door
}

export async function openDesk(clock: Clock = systemClock): Promise<Desk> {
  const site = await makeSite({ options: { clock } })
  const memory = memoryLedger()
  const staff = new Staff()
  const access = createAccess({ storage: site.storage, audit: memory.audit, alarms: undefined as never, people: staff, clock })
  return {
    site,
    access,
    memory,
    staff,
    local: access.enter({ kind: 'local', name: 'operator' }),
    [Symbol.asyncDispose]: () => site.end(),
  }
}

export async function store(door: Door, path: string, text: string): Promise<void> {
  const grant = await door.openToWrite({ path, ifAbsent: false })
  await grant.store(once(Buffer.from(text)))
}

export async function read(door: Door, path: string, version?: number): Promise<string> {
  const grant = await door.openToRead({ path, version })
  try {
    const parts: Uint8Array[] = []
    if (grant.sizeBytes > 0) for await (const part of grant.read({ first: 0, last: grant.sizeBytes - 1 })) parts.push(part.slice())
    return Buffer.concat(parts).toString()
  } finally {
    await grant.close()
  }
}

export async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  yield bytes
}

export async function names(door: Door, path: string, recursive = false): Promise<string[]> {
  const found: string[] = []
  for (let after: string | undefined; ;) {
    const page = await door.list({ path, recursive, limit: 3, ...(after === undefined ? {} : { after }) })
    found.push(...page.entries.map((entry) => entry.path))
    if (page.next === null) return found
    after = page.next
  }
}
