// The commands about finding files and about who may open them.
import { type Command, Option } from '@commander-js/extra-typings'
import type { GrantOptions } from './commands/grant.ts'
import { moment } from './moment.ts'

export type GrantWish =
  | { readonly kind: 'find'; readonly text: string; readonly path: string }
  | { readonly kind: 'grant-list'; readonly path: string }
  | { readonly kind: 'grant'; readonly path: string; readonly options: GrantOptions }

export function addGrantCommands(program: Command<[], { wait: number }>, wish: (one: GrantWish) => void): void {
  program
    .command('find')
    .description('files and folders whose name holds a text, whatever its case')
    .argument('<text>')
    .argument('[path]', 'at and below this folder', '/')
    .action((text, path) => wish({ kind: 'find', text, path }))

  const grant = program.command('grant').description('who may open what')
  grant
    .command('list')
    .description('who may open a file or folder')
    .argument('[path]', 'in the vault', '/')
    .action((path) => wish({ kind: 'grant-list', path }))
  grant
    .command('give')
    .description('let a person or a group open a file, or a folder with all below')
    .argument('<path>', 'in the vault')
    .requiredOption('--to <name>', 'of a person or a group')
    .addOption(new Option('--right <right>', 'what they may do').choices(['read', 'write', 'manage'] as const).default('read' as const))
    .option('--until <moment>', 'it ends by itself then', moment)
    .action((path, { to, right, until }) => wish({ kind: 'grant', path, options: { to, right, until } }))
  grant
    .command('take')
    .description('take it back; what they have open ends within a second')
    .argument('<path>', 'in the vault')
    .requiredOption('--from <name>', 'of a person or a group')
    .action((path, { from }) => wish({ kind: 'grant', path, options: { to: from, right: null, until: undefined } }))
}
