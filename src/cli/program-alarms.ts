// The commands of alarms and breaches, their options and their help.
import { Argument, type Command } from '@commander-js/extra-typings'
import type { AlarmWish } from './commands/alarms.ts'

export function addAlarmCommands(program: Command<[], { wait: number }>, wish: (one: AlarmWish) => void): void {
  const alarms = program.command('alarms').description('what rings, and who is told')
  alarms
    .command('list', { isDefault: true })
    .description('what rings now; exit code 3 while somebody has to look')
    .option('--all', 'also what is over')
    .action(({ all }) => wish({ kind: 'alarms-list', all: all === true }))
  alarms
    .command('acknowledge')
    .description('say that a person has seen an alarm')
    .argument('<alarm>', 'its id')
    .option('--note <text>', 'what is being done', '')
    .action((id, { note }) => wish({ kind: 'alarms-acknowledge', id, note }))
  alarms
    .command('settings')
    .description('show the settings as JSON, or replace them by those of a file; secrets are files in the folder `secrets` of the home')
    .argument('[file]')
    .action((file) => wish({ kind: 'alarms-settings', file }))
  alarms
    .command('try')
    .description('send a message of trial now')
    .addArgument(new Argument('<channel>').choices(['mail', 'webhook'] as const))
    .action((channel) => wish({ kind: 'alarms-try', channel }))
  alarms
    .command('messages')
    .description('messages about alarms: what arrived, what waits, what failed and why')
    .action(() => wish({ kind: 'alarms-messages' }))
  const breach = program.command('breach').description('records of breaches of personal data (GDPR Art. 33); they are written on the page')
  breach
    .command('list', { isDefault: true })
    .description('all records; exit code 3 while one waits for a decision')
    .action(() => wish({ kind: 'breach-list' }))
  breach
    .command('show')
    .description('one record with everything that was written into it; with --json for the authority')
    .argument('<record>', 'its id')
    .action((id) => wish({ kind: 'breach-show', id }))
}
