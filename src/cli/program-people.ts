// The commands about people, and about the tokens of programs that act for them.
import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings'
import type { InviteWish, TokenWish } from './commands/people.ts'

export type PeopleWish =
  | { readonly kind: 'people-list'; readonly all: boolean }
  | { readonly kind: 'people-invite'; readonly request: InviteWish }
  | { readonly kind: 'people-link'; readonly person: string; readonly page: string | undefined }
  | { readonly kind: 'people-roles'; readonly person: string; readonly roles: readonly string[] }
  | { readonly kind: 'people-leave'; readonly person: string; readonly yes: boolean }
  | { readonly kind: 'token-list'; readonly person: string }
  | { readonly kind: 'token-make'; readonly person: string; readonly request: TokenWish }
  | { readonly kind: 'token-revoke'; readonly person: string; readonly id: string }

const PERSON = 'account name or id'
const ROLES = 'administrator, data-steward, clinician, researcher, output-checker, data-protection-officer, auditor or patient'

export function addPeopleCommands(program: Command<[], { wait: number }>, wish: (one: PeopleWish) => void): void {
  const people = program.command('people').description('who may come in, besides whoever runs the site at this machine')
  people
    .command('list')
    .description('everybody, with roles')
    .option('--all', 'also who has left')
    .action(({ all }) => wish({ kind: 'people-list', all: all === true }))
  people
    .command('invite')
    .description('add a person, and print the one-time link with which they make their own passkey or password')
    .argument('<account>', 'a short name or the mail address, to sign in by password')
    .requiredOption('--name <name>', 'as colleagues know the person')
    .option('--mail <address>', 'for messages')
    .option('--role <role>', `${ROLES}; again for another one`, collect, [] as string[])
    .option('--page <address>', 'of the page as the person reaches it, such as https://vault.example')
    .action((account, { name, mail, role, page }) => wish({ kind: 'people-invite', request: { account, name, mail, roles: role, page } }))
  people
    .command('link')
    .description('print another link, for who has not come or lost what they sign in with; what they had ends when it is used')
    .argument('<person>', PERSON)
    .option('--page <address>', 'of the page as the person reaches it, such as https://vault.example')
    .action((person, { page }) => wish({ kind: 'people-link', person, page }))
  people
    .command('roles')
    .description('set the roles of a person; none takes all away')
    .argument('<person>', PERSON)
    .argument('[roles...]', ROLES)
    .action((person, roles) => wish({ kind: 'people-roles', person, roles }))
  people
    .command('leave')
    .description('a person leaves: sessions, passkeys, password, tokens, keys, groups and roles end at once')
    .argument('<person>', PERSON)
    .option('-y, --yes', 'do it; without it only what would end is said')
    .action((person, { yes }) => wish({ kind: 'people-leave', person, yes: yes === true }))

  const token = program.command('token').description('secrets with which programs act for a person: API tokens, app passwords, access keys')
  token
    .command('list')
    .description('what a person has; secrets themselves are never shown again')
    .argument('<person>', PERSON)
    .action((person) => wish({ kind: 'token-list', person }))
  token
    .command('make')
    .description('make one and print its secret, once, on standard output')
    .argument('<person>', PERSON)
    .requiredOption('--name <name>', 'what it is for')
    .addOption(
      new Option('--means <means>', 'token: for the API; app-password: for WebDAV; access-key: for S3')
        .choices(['token', 'app-password', 'access-key'] as const)
        .default('token' as const),
    )
    .addOption(
      new Option('--rights <rights>', 'what it may do at most').choices(['read', 'write', 'all'] as const).default('read' as const),
    )
    .option('--path <folder>', 'only at and below this folder', '/')
    .option('--days <days>', 'until it ends; 0 is never', days, 90)
    .action((person, request) => wish({ kind: 'token-make', person, request }))
  token
    .command('revoke')
    .description('end one at once')
    .argument('<person>', PERSON)
    .argument('<id>', 'as token list shows it, or the beginning of it')
    .action((person, id) => wish({ kind: 'token-revoke', person, id }))
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

function days(text: string): number {
  const value = Number(text)
  if (!/^\d{1,4}$/.test(text) || value > 3653) throw new InvalidArgumentError('It must be a number of days up to 3653, or 0.')
  return value
}
