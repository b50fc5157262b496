// The commands about the audit log.
import { type Command, InvalidArgumentError } from '@commander-js/extra-typings'
import type { AuditQuery, EraseRequest } from '#contract'
import { moment } from './moment.ts'

export type AuditWish =
  | { readonly kind: 'audit-status' }
  | { readonly kind: 'audit-list'; readonly query: AuditQuery; readonly count: number }
  | { readonly kind: 'audit-export'; readonly folder: string | undefined; readonly personal: boolean }
  | { readonly kind: 'audit-proof'; readonly index: number; readonly file: string | undefined }
  | { readonly kind: 'audit-checkpoint'; readonly file: string | undefined }
  | { readonly kind: 'audit-verify' }
  | { readonly kind: 'audit-erase'; readonly request: EraseRequest }
  | { readonly kind: 'audit-restart'; readonly reason: string }
  | { readonly kind: 'verify-audit'; readonly place: string; readonly options: VerifyAuditOptions }

export interface VerifyAuditOptions {
  /** Verifier keys of the log, or files of them, that the auditor trusts. */
  readonly keys: readonly string[]
  /** A file with an older head. */
  readonly since?: string | undefined
  /** A file with personal fields. */
  readonly personal?: string | undefined
}

const SHOWN = 50

export function addAuditCommands(program: Command<[], { wait: number }>, wish: (one: AuditWish) => void): void {
  const audit = program.command('audit').description('who did what: the log that cannot be rewritten unnoticed')
  audit
    .command('status')
    .description('how long the log is, its keys, and whether it is sound')
    .action(() => wish({ kind: 'audit-status' }))
  audit
    .command('list')
    .description('what happened, the newest last')
    .option('-n, --count <n>', 'so many entries', count, SHOWN)
    .option('--actor <who>', 'a pseudonym, or the id of a person')
    .option('--object <id>', 'the id of a file')
    .option('--kind <kind>', 'such as open, store, sign-in, grant')
    .option('--outcome <outcome>', 'allowed, refused, done or failed')
    .option('--since <moment>', 'like 2026-03-01T12:00 (of this machine) or 2026-03-01T12:00:00Z', moment)
    .option('--until <moment>', 'before this moment', moment)
    .action(({ count: shown, ...query }) => wish({ kind: 'audit-list', query: query as AuditQuery, count: shown }))
  audit
    .command('export')
    .description('copy the log as static files; what the folder has already is kept')
    .argument(
      '[folder]',
      'to copy it to; without one, audit/ in the home of the site. verify-audit proves the copy, any web server serves it',
    )
    .option('--personal', 'with names and paths, in personal.jsonl: treat it as personal data')
    .action((folder, { personal }) => wish({ kind: 'audit-export', folder, personal: personal === true }))
  audit
    .command('proof')
    .description('the receipt of one entry, which anybody can verify with the keys of the log')
    .argument('<index>', 'number of the entry', place)
    .argument('[file]', 'to write it to; standard output without one')
    .action((index, file) => wish({ kind: 'audit-proof', index, file }))
  audit
    .command('checkpoint')
    .description('the signed head of the log: keep it, and nobody can rewrite what was before')
    .argument('[file]', 'to write it to; standard output without one')
    .action((file) => wish({ kind: 'audit-checkpoint', file }))
  audit
    .command('verify')
    .description('let the site recompute its whole log')
    .action(() => wish({ kind: 'audit-verify' }))
  audit
    .command('erase')
    .description('erase names, paths and details from the log (GDPR Art. 17); the entries stay and still verify')
    .option('--person <id>', 'of or about this person')
    .option('--object <id>', 'about this file')
    .requiredOption('--reason <text>', 'written into the log')
    .action(({ person, object, reason }, command) => {
      if ((person === undefined) === (object === undefined)) command.error('error: name either --person or --object')
      wish({ kind: 'audit-erase', request: person === undefined ? { object: object!, reason } : { person, reason } })
    })
  audit
    .command('restart')
    .description('begin a new log where the old one was tampered with or lost; its first entry says so')
    .requiredOption('--reason <text>', 'what was found, and who decided')
    .action(({ reason }) => wish({ kind: 'audit-restart', reason }))

  program
    .command('verify-audit')
    .description('prove a copied audit log or a receipt, without any site and network')
    .argument('<place>', 'folder of audit export, or a .tlog-proof file')
    .option('--key <vkey>', 'a key of the log as the site shows it, or a file of such keys; may be repeated', collect, [])
    .option('--since <checkpoint>', 'file with an older head that was kept: this log must begin with that one')
    .option('--personal <file>', 'file of names and paths: each must be what its entry was written with')
    .action((where, { key, since, personal }) => wish({ kind: 'verify-audit', place: where, options: { keys: key, since, personal } }))
}

function count(text: string): number {
  const value = Number(text)
  if (!/^\d{1,7}$/.test(text) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1.')
  return value
}

function place(text: string): number {
  if (!/^(?:0|[1-9]\d{0,14})$/.test(text)) throw new InvalidArgumentError('It must be the number of an entry.')
  return Number(text)
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}
