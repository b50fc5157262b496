// The commands about what was: trash, rules of keeping, moments, deletions.
import { type Command, InvalidArgumentError } from '@commander-js/extra-typings'
import type { KeepOptions } from './commands/keep.ts'
import { moment } from './moment.ts'

export type PastWish =
  | { readonly kind: 'trash-list' }
  | { readonly kind: 'trash-restore'; readonly id: string; readonly to: string | undefined }
  | { readonly kind: 'trash-empty'; readonly ids: readonly string[] }
  | { readonly kind: 'keep'; readonly path: string; readonly options: KeepOptions }
  | { readonly kind: 'keep-list' }
  | { readonly kind: 'purge'; readonly dryRun: boolean }
  | { readonly kind: 'restore-to'; readonly path: string; readonly at: string; readonly dryRun: boolean }
  | { readonly kind: 'deletion-list' }
  | { readonly kind: 'deletion-record'; readonly id: string; readonly file: string | undefined }
  | { readonly kind: 'deletion-verify'; readonly file: string; readonly dealer: string | undefined }

export function addPastCommands(program: Command<[], { wait: number }>, wish: (one: PastWish) => void): void {
  const trash = program.command('trash').description('what was removed and is kept for a while')
  trash
    .command('list')
    .description('what lies there, and until when')
    .action(() => wish({ kind: 'trash-list' }))
  trash
    .command('restore')
    .description('bring an entry back; a name that is taken is never overwritten')
    .argument('<id>', 'as trash list shows it, or the beginning of it')
    .option('--to <path>', 'another path in the vault')
    .action((id, { to }) => wish({ kind: 'trash-restore', id, to }))
  trash
    .command('empty')
    .description('delete entries at every location, all of them when none is named; what is held stays')
    .argument('[ids...]')
    .action((ids) => wish({ kind: 'trash-empty', ids }))

  program
    .command('keep')
    .description('how long old versions and the trash of a folder are kept; without options it says what holds')
    .argument('[path]', 'in the vault; without one every rule is listed')
    .option('--versions-days <days>', 'a version that was replaced stays for so long', days)
    .option('--versions-min <n>', 'so many of the newest versions stay for ever', count)
    .option('--trash-days <days>', 'what was removed stays in the trash for so long', days)
    .option('--hold <date>', 'nothing may be removed before this date', moment)
    .option('--release', 'lift the hold')
    .option('--inherit', 'no rule of its own: as the folder above says')
    .action((path, { versionsDays, versionsMin, trashDays, hold, release, inherit }) =>
      path === undefined
        ? wish({ kind: 'keep-list' })
        : wish({
            kind: 'keep',
            path,
            options: { versionsDays, versionsMin, trashDays, hold, release: release === true, inherit: inherit === true },
          }),
    )
  program
    .command('purge')
    .description('remove what is past its time by the rules of keeping; the site does so by itself every hour')
    .option('-n, --dry-run', 'only say what would go')
    .action(({ dryRun }) => wish({ kind: 'purge', dryRun: dryRun === true }))
  program
    .command('restore-to')
    .description('make a folder as it was at a moment; nothing is destroyed by it')
    .argument('<moment>', 'like 2026-03-01T12:00 (of this machine) or 2026-03-01T12:00:00Z')
    .argument('[path]', 'in the vault', '/')
    .option('-n, --dry-run', 'only say what would change')
    .action((at, path, { dryRun }) => wish({ kind: 'restore-to', path, at: moment(at), dryRun: dryRun === true }))

  const deletion = program.command('deletion').description('what was deleted for good, and what each location answered')
  deletion
    .command('list')
    .description('deletions, and which locations still owe an answer')
    .action(() => wish({ kind: 'deletion-list' }))
  deletion
    .command('record')
    .description('the signed record of a deletion')
    .argument('<id>', 'as deletion list shows it, or the beginning of it')
    .argument('[file]', 'to write it to; standard output without one')
    .action((id, file) => wish({ kind: 'deletion-record', id, file }))
  deletion
    .command('verify')
    .description('verify a record; needs no site')
    .argument('<file>', '- is standard input')
    .option('--dealer <fingerprint>', 'of the recovery sheet')
    .action((file, { dealer }) => wish({ kind: 'deletion-verify', file, dealer }))
}

export function pairOfVersions(text: string): readonly [number, number] {
  const found = /^(\d{1,9}),(\d{1,9})$/.exec(text)
  if (found === null) throw new InvalidArgumentError('It must be two versions, like 1,3.')
  return [Number(found[1]), Number(found[2])]
}

function days(text: string): number {
  const value = Number(text)
  if (!/^\d{1,5}$/.test(text) || value > 36_500) throw new InvalidArgumentError('It must be a number of days, at most 36500.')
  return value
}

function count(text: string): number {
  const value = Number(text)
  if (!/^\d{1,5}$/.test(text) || value < 1 || value > 10_000) throw new InvalidArgumentError('It must be a whole number from 1 to 10000.')
  return value
}
