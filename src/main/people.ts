// The book of people as the door asks for it.
import type { People } from '#access'
import type { Grantee } from '#contract'
import type { Identity } from '#identity'

export function peopleOf(identity: Pick<Identity, 'present' | 'directory'>): People {
  const all = async (): Promise<readonly { readonly to: Grantee; readonly name: string }[]> => {
    const { people, groups } = await identity.directory()
    return [
      ...groups.map(({ id, name }) => ({ to: { kind: 'group' as const, id }, name })),
      ...people.map(({ id, name }) => ({ to: { kind: 'person' as const, id }, name })),
    ]
  }
  return {
    present: (person) => identity.present(person),
    async names(subjects) {
      if (subjects.length === 0) return new Map()
      const wanted = new Set(subjects)
      return new Map((await all()).map(({ to, name }) => [`${to.kind}:${to.id}`, name] as const).filter(([subject]) => wanted.has(subject)))
    },
    async find({ text, limit }) {
      const wanted = folded(text)
      return (await all())
        .filter(({ name }) => folded(name).includes(wanted))
        .toSorted((a, b) => a.name.localeCompare(b.name))
        .slice(0, limit)
    },
  }
}

function folded(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}
