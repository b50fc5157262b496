// Law: over any sequence of grants, revocations, moves, removals and returns, a door opens what the model allows and not a byte more.
// The model hangs grants on the things themselves and knows no paths; the product keeps them by path.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { Door, Person } from '#access'
import { isFailure } from '#base'
import type { Right } from '#contract'
import { type Desk, groupId, idOf, names, openDesk, read, store } from './support.ts'

const RUNS = 25
const STEPS_MAX = 25
const PEOPLE = [1, 2, 3] as const
const GROUPS = [1, 2] as const
const RIGHTS: readonly (Right | null)[] = ['read', 'write', 'manage', null]
const NAMES = ['a', 'a-b', 'a.c', 'b'] as const

interface Thing {
  parent: Thing | undefined
  name: string
  readonly kind: 'file' | 'folder'
  readonly below: Map<string, Thing>
  readonly grants: Map<string, Right>
  text: string
}

const thing = (kind: Thing['kind'], name: string, parent: Thing | undefined, text = ''): Thing => ({
  kind,
  name,
  parent,
  text,
  below: new Map(),
  grants: new Map(),
})

class Model {
  root = thing('folder', '', undefined)
  readonly trash: { readonly id: string; readonly what: Thing; readonly from: string }[] = []
  readonly groups = new Map<number, readonly number[]>()

  at(path: string): Thing | undefined {
    let at: Thing | undefined = this.root
    for (const name of path.split('/').filter((part) => part !== '')) at = at?.below.get(name)
    return at
  }

  *all(from: Thing = this.root): Generator<Thing> {
    for (const one of from.below.values()) {
      yield one
      yield* this.all(one)
    }
  }

  path(of: Thing): string {
    return of.parent === undefined ? '' : `${this.path(of.parent)}/${of.name}`
  }

  right(person: number, of: Thing): number {
    const subjects = [`person:${idOf(person)}`, ...(this.groups.get(person) ?? []).map((group) => `group:${groupId(group)}`)]
    let best = 0
    for (let at: Thing | undefined = of; at !== undefined; at = at.parent)
      for (const subject of subjects) best = Math.max(best, ['', 'read', 'write', 'manage'].indexOf(at.grants.get(subject) ?? ''))
    return best
  }

  /** What the person reads, and the folders on the way to it. */
  visible(person: number): string[] {
    const seen = new Set<string>()
    for (const one of this.all()) {
      if (this.right(person, one) < 1) continue
      for (let at: Thing | undefined = one; at?.parent !== undefined; at = at.parent) seen.add(this.path(at))
    }
    return [...seen].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }
}

const name = fc.constantFrom(...NAMES)
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
const subject = fc.oneof(
  fc.constantFrom(...PEOPLE).map((id) => ({ kind: 'person' as const, id: idOf(id) })),
  fc.constantFrom(...GROUPS).map((id) => ({ kind: 'group' as const, id: groupId(id) })),
)
const step = fc.oneof(
  fc.record({ kind: fc.constant('store' as const), path, text: fc.string({ minLength: 1, maxLength: 5 }) }),
  fc.record({ kind: fc.constant('folder' as const), path }),
  fc.record({
    kind: fc.constant('grant' as const),
    path: fc.oneof(path, fc.constant('/')),
    to: subject,
    right: fc.constantFrom(...RIGHTS),
  }),
  fc.record({ kind: fc.constant('move' as const), path, to: path }),
  fc.record({ kind: fc.constant('copy' as const), path, to: path }),
  fc.record({ kind: fc.constant('trash' as const), path }),
  fc.record({ kind: fc.constant('remove' as const), path }),
  fc.record({ kind: fc.constant('return' as const) }),
  fc.record({ kind: fc.constant('member' as const), person: fc.constantFrom(...PEOPLE), groups: fc.subarray([...GROUPS]) }),
  fc.record({
    kind: fc.constant('try' as const),
    person: fc.constantFrom(...PEOPLE),
    path,
    text: fc.string({ minLength: 1, maxLength: 5 }),
  }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Whether it was done. Only what stands in nobody's way is tried. */
async function act(desk: Desk, model: Model, one: Step, doors: (person: number) => Door): Promise<void> {
  const { local } = desk
  switch (one.kind) {
    case 'store':
    case 'try': {
      const above = one.path.slice(0, one.path.lastIndexOf('/'))
      const parts = above.split('/').filter((part) => part !== '')
      const blocked = parts.some((_, index) => model.at(`/${parts.slice(0, index + 1).join('/')}`)?.kind === 'file')
      const standing = model.at(one.path)
      if (blocked || standing?.kind === 'folder') return
      let nearest = model.root
      for (const part of parts) nearest = nearest.below.get(part) ?? nearest
      if (one.kind === 'try') {
        const may = model.right(one.person, standing ?? deepest(model, one.path)) >= 2
        const tried = store(doors(one.person), one.path, one.text)
        if (!may) return assert.rejects(tried, (error) => isFailure(error, 'access.denied'))
        await tried
      } else await store(local, one.path, one.text)
      put(model, one.path, one.text)
      return
    }
    case 'folder': {
      const parts = one.path.split('/').filter((part) => part !== '')
      if (parts.some((_, index) => model.at(`/${parts.slice(0, index + 1).join('/')}`)?.kind === 'file')) return
      await local.createFolder({ path: one.path })
      folder(model, one.path)
      return
    }
    case 'grant': {
      const at = one.path === '/' ? model.root : model.at(one.path)
      if (at === undefined) return
      await local.setGrant({ path: one.path, to: one.to, right: one.right, until: null })
      const key = `${one.to.kind}:${one.to.id}`
      if (one.right === null) at.grants.delete(key)
      else at.grants.set(key, one.right)
      return
    }
    case 'move':
    case 'copy': {
      const from = model.at(one.path)
      if (from === undefined || model.at(one.to) !== undefined || one.to === one.path || one.to.startsWith(`${one.path}/`)) return
      const parts = one.to.split('/').slice(1, -1)
      if (parts.some((_, index) => model.at(`/${parts.slice(0, index + 1).join('/')}`)?.kind === 'file')) return
      await local[one.kind]({ from: one.path, to: one.to, replace: false })
      const above = folder(model, one.to.slice(0, one.to.lastIndexOf('/')))
      const last = one.to.slice(one.to.lastIndexOf('/') + 1)
      if (one.kind === 'copy') {
        above.below.set(last, cloned(from, last, above))
        return
      }
      from.parent!.below.delete(from.name)
      from.name = last
      from.parent = above
      above.below.set(last, from)
      return
    }
    case 'trash':
    case 'remove': {
      const what = model.at(one.path)
      if (what === undefined) return
      const { trash } = await local.remove({ path: one.path, recursive: true, now: one.kind === 'remove' })
      what.parent!.below.delete(what.name)
      what.parent = undefined
      if (one.kind === 'trash') model.trash.push({ id: trash!, what, from: one.path })
      return
    }
    case 'return': {
      const entry = model.trash.pop()
      if (entry === undefined) return
      const parts = entry.from.split('/').slice(1, -1)
      if (parts.some((_, index) => model.at(`/${parts.slice(0, index + 1).join('/')}`)?.kind === 'file')) {
        model.trash.push(entry)
        return
      }
      const { path: to } = await local.restoreTrash({ id: entry.id })
      const above = folder(model, to.slice(0, to.lastIndexOf('/')))
      entry.what.name = to.slice(to.lastIndexOf('/') + 1)
      entry.what.parent = above
      above.below.set(entry.what.name, entry.what)
      return
    }
    case 'member':
      model.groups.set(one.person, one.groups)
  }
}

function deepest(model: Model, at: string): Thing {
  let found = model.root
  for (const part of at.split('/').filter((one) => one !== '')) {
    const next = found.below.get(part)
    if (next === undefined) return found
    found = next
  }
  return found
}

function folder(model: Model, at: string): Thing {
  let found = model.root
  for (const part of at.split('/').filter((one) => one !== '')) {
    const next = found.below.get(part) ?? thing('folder', part, found)
    found.below.set(part, next)
    found = next
  }
  return found
}

function put(model: Model, at: string, text: string): void {
  const above = folder(model, at.slice(0, at.lastIndexOf('/')))
  const last = at.slice(at.lastIndexOf('/') + 1)
  const standing = above.below.get(last)
  if (standing === undefined) above.below.set(last, thing('file', last, above, text))
  else standing.text = text
}

function cloned(of: Thing, as: string, parent: Thing): Thing {
  const copy = thing(of.kind, as, parent, of.text)
  for (const one of of.below.values()) copy.below.set(one.name, cloned(one, one.name, copy))
  return copy
}

it('a door opens what the model allows, and not a byte more', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: STEPS_MAX }), async (steps) => {
      await using desk = await openDesk()
      const model = new Model()
      for (const group of GROUPS) desk.staff.group(group)
      const person = (number: number): Person => desk.staff.hire(number, { groups: model.groups.get(number) ?? [] })
      const doors = (number: number): Door => desk.access.enter(person(number))
      for (const number of PEOPLE) person(number)
      for (const one of steps) await act(desk, model, one, doors)
      for (const number of PEOPLE) {
        const door = doors(number)
        assert.deepEqual(await names(door, '/', true), model.visible(number))
        for (const one of model.all()) {
          const at = model.path(one)
          const may = model.right(number, one) >= 1
          if (one.kind === 'folder') {
            const seen = model.visible(number).filter((found) => found.slice(0, found.lastIndexOf('/')) === at)
            if (may || seen.length > 0) assert.deepEqual(await names(door, at), seen)
            else await assert.rejects(names(door, at), (error) => isFailure(error, 'access.denied'))
          } else if (may) assert.equal(await read(door, at), one.text)
          else await assert.rejects(read(door, at), (error) => isFailure(error, 'access.denied'))
        }
      }
    }),
    { numRuns: RUNS },
  )
})
