// people list, invite, link, roles and leave; token list, make and revoke: by whoever runs the site at its machine.
import { Failure } from '#base'
import { role, type Invitation, type PersonView, type Role, type SecretRequest } from '#contract'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { printable } from '../words.ts'

export interface InviteWish {
  readonly account: string
  readonly name: string
  readonly mail: string | undefined
  readonly roles: readonly string[]
  readonly page: string | undefined
}

export interface TokenWish {
  readonly name: string
  readonly means: SecretRequest['means']
  readonly rights: SecretRequest['scope']['rights']
  readonly path: string
  /** 0 = never. */
  readonly days: number
}

export async function listPeople(context: Context, options: { readonly all: boolean }): Promise<number> {
  const { people } = await context.client.people({ signal: context.signal })
  const shown = people.filter(({ state }) => options.all || state !== 'left')
  await context.out.value({ people: shown })
  if (shown.length === 0) await context.out.line('Nobody yet: whoever runs the site works alone. quorate people invite adds somebody.')
  for (const { account, id, name, roles, state } of shown) {
    const what = state === 'active' ? '' : state === 'invited' ? ', invited' : ', has left'
    await context.out.line(`${account ?? id.slice(0, 8)}  ${printable(name)}: ${roles.join(', ') || 'no role'}${what}`)
  }
  return EXIT.done
}

export async function invite(context: Context, { account, name, mail, roles, page }: InviteWish): Promise<number> {
  const { person, invitation } = await context.client.invite(
    { account, name, roles: rolesOf(roles), ...(mail === undefined ? {} : { mail }) },
    { signal: context.signal },
  )
  return tellLink(context, person, invitation, page)
}

export async function newLink(context: Context, named: string, page: string | undefined): Promise<number> {
  const person = await find(context, named)
  return tellLink(context, person, await context.client.renew(person.id, { signal: context.signal }), page)
}

/** The link alone on standard output, so that it can go where it belongs. */
async function tellLink(context: Context, person: PersonView, invitation: Invitation, page: string | undefined): Promise<number> {
  const part = `/#invitation=${invitation.token}`
  const link = page === undefined ? part : `${page.replace(/\/+$/, '')}${part}`
  await context.out.value({ person, invitation, link })
  await context.out.line(link)
  if (!context.out.json) {
    const where = page === undefined ? 'Put the address of the page in front of it. ' : ''
    await context.out.note(
      `${where}Give it to ${printable(person.name)} only: it works once, until ${invitation.expires}, and is not shown again.`,
      { expires: invitation.expires },
    )
  }
  return EXIT.done
}

export async function setRoles(context: Context, named: string, roles: readonly string[]): Promise<number> {
  const { id } = await find(context, named)
  const person = await context.client.changeRoles(id, { roles: rolesOf(roles) }, { signal: context.signal })
  await context.out.value(person)
  await context.out.line(`${printable(person.name)}: ${person.roles.join(', ') || 'no role'}`)
  return EXIT.done
}

export async function leave(context: Context, named: string, options: { readonly yes: boolean }): Promise<number> {
  const person = await find(context, named)
  const { name, sessions, passkeys, password, secrets, groups } = person
  if (!options.yes) {
    const ends = `${sessions} sessions, ${passkeys} passkeys, ${password ? 'the password' : 'no password'}, ${secrets} tokens and keys, ${groups.length} memberships`
    throw new Failure('cli.usage', {
      detail: `${printable(name)} would lose everything at once: ${ends}, and all roles. Nothing was done.`,
      next: 'Add --yes to do it.',
    })
  }
  const left = await context.client.leave(person.id, { signal: context.signal })
  await context.out.value(left)
  await context.out.line(`${printable(name)} has left. Nothing of theirs opens anything here any more.`)
  return EXIT.done
}

export async function listTokens(context: Context, named: string): Promise<number> {
  const { id } = await find(context, named)
  const { secrets } = await context.client.personCredentials(id, { signal: context.signal })
  await context.out.value({ secrets })
  if (secrets.length === 0) await context.out.line('None.')
  for (const one of secrets) {
    const end = one.expired ? 'has ended' : one.expires === null ? 'never ends' : `ends ${one.expires.slice(0, 10)}`
    const used = one.used === null ? 'not used yet' : `last used ${one.used}`
    await context.out.line(
      `${one.id.slice(0, 8)}  ${printable(one.name)}: ${one.means}, ${one.scope.rights} at ${printable(one.scope.path)}, ${end}, ${used}`,
    )
  }
  return EXIT.done
}

export async function makeToken(context: Context, named: string, { means, name, rights, path, days }: TokenWish): Promise<number> {
  const { id } = await find(context, named)
  const request: SecretRequest = { means, name, scope: { rights, path }, days: days === 0 ? null : days }
  const made = await context.client.makePersonSecret(id, request, { signal: context.signal })
  await context.out.value(made)
  await context.out.line(made.secret)
  if (!context.out.json) {
    const key = made.accessKey === null ? '' : `The access key is ${made.accessKey}. `
    await context.out.note(`${key}The secret is not shown again.`, { id: made.id })
  }
  return EXIT.done
}

export async function revokeToken(context: Context, named: string, begin: string): Promise<number> {
  const person = await find(context, named)
  const { secrets } = await context.client.personCredentials(person.id, { signal: context.signal })
  const found = secrets.filter(({ id }) => id.startsWith(begin))
  const [only] = found
  if (only === undefined || found.length > 1)
    throw new Failure(only === undefined ? 'identity.absent' : 'cli.usage', {
      detail: only === undefined ? 'There is no such token.' : 'Several tokens begin like that.',
      next: 'quorate token list shows them.',
    })
  await context.out.value(await context.client.removePersonSecret(person.id, only.id, { signal: context.signal }))
  await context.out.line(`${printable(only.name)} is revoked.`)
  return EXIT.done
}

/** By account name or id; who has left is found by id only. */
async function find(context: Context, named: string): Promise<PersonView> {
  const { people } = await context.client.people({ signal: context.signal })
  const found = people.find(({ account, id }) => id === named || account === named.trim().toLowerCase())
  if (found === undefined)
    throw new Failure('identity.absent', {
      detail: `Nobody has the account name ${printable(named)}.`,
      next: 'quorate people list shows everybody.',
    })
  return found
}

function rolesOf(typed: readonly string[]): Role[] {
  return typed.map((text) => {
    const parsed = role.safeParse(text)
    if (!parsed.success)
      throw new Failure('cli.usage', { detail: `There is no role ${printable(text)}.`, next: `Roles are ${role.options.join(', ')}.` })
    return parsed.data
  })
}
