// The commands, their options and their help. What they do is loaded only when it is done, so that help is quick.
import { Argument, Command, InvalidArgumentError, Option } from '@commander-js/extra-typings'
import type { ScrubDepth } from '#contract'
import type { HealthWish } from './commands/health.ts'
import type { ChangeRequest } from '#contract'
import type { ChangeOptions } from './commands/change.ts'
import type { DrillOptions } from './commands/drill.ts'
import type { GetOptions } from './commands/get.ts'
import type { InitOptions } from './commands/init.ts'
import type { KitOptions } from './commands/kit.ts'
import type { LsOptions } from './commands/ls.ts'
import type { PlanWish } from './commands/plan.ts'
import type { PutOptions } from './commands/put.ts'
import type { RestoreOptions } from './commands/restore.ts'
import type { RmOptions } from './commands/rm.ts'
import type { VersionsOptions } from './commands/versions.ts'
import type { OutsideWish } from './host.ts'
import type { PassphraseOptions } from './passphrase.ts'
import type { AlarmWish } from './commands/alarms.ts'
import { addAlarmCommands } from './program-alarms.ts'
import { addAuditCommands, type AuditWish } from './program-audit.ts'
import { addGrantCommands, type GrantWish } from './program-grants.ts'
import { addPeopleCommands, type PeopleWish } from './program-people.ts'
import { addPastCommands, pairOfVersions, type PastWish } from './program-past.ts'

/** What every command knows besides its own options. */
export interface Globals extends PassphraseOptions {
  readonly home?: string | undefined
  readonly json?: true | undefined
  readonly progress?: true | undefined
  readonly wait: number
}

/** What a command line asks for, read but not begun. */
export type Wish =
  | { readonly kind: 'init'; readonly locations: readonly string[]; readonly options: InitOptions }
  | { readonly kind: 'add-location'; readonly spec: string; readonly label: string | undefined }
  | { readonly kind: 'change'; readonly request: ChangeRequest; readonly options: ChangeOptions }
  | {
      readonly kind: 'replace-location'
      readonly old: string
      readonly spec: string
      readonly label: string | undefined
      readonly refresh: boolean
      readonly options: ChangeOptions
    }
  | { readonly kind: 'change-status' }
  | { readonly kind: 'steer-change'; readonly state: 'running' | 'paused' | 'cancelled' }
  | { readonly kind: 'throttle-change'; readonly rate: string }
  | { readonly kind: 'list-locations' }
  | { readonly kind: 'test-locations'; readonly named: readonly string[] }
  | { readonly kind: 'put'; readonly names: readonly string[]; readonly options: PutOptions }
  | { readonly kind: 'uploads'; readonly remove: readonly string[] }
  | { readonly kind: 'get'; readonly from: string; readonly to: string; readonly options: GetOptions }
  | { readonly kind: 'cat'; readonly path: string; readonly range: string | undefined; readonly version: number | undefined }
  | { readonly kind: 'ls'; readonly path: string; readonly options: LsOptions }
  | { readonly kind: 'move' | 'copy'; readonly names: readonly string[]; readonly force: boolean }
  | { readonly kind: 'rm'; readonly paths: readonly string[]; readonly options: RmOptions }
  | { readonly kind: 'versions'; readonly path: string; readonly options: VersionsOptions }
  | PastWish
  | GrantWish
  | AuditWish
  | AlarmWish
  | PeopleWish
  | { readonly kind: 'status'; readonly check: boolean }
  | { readonly kind: 'scrub'; readonly depth: ScrubDepth; readonly location: string | undefined }
  | { readonly kind: 'repair'; readonly path: string | undefined }
  | HealthWish
  | PlanWish
  | { readonly kind: 'recover'; readonly locations: readonly string[] }
  | { readonly kind: 'import'; readonly place: string; readonly path: string; readonly check: boolean; readonly preview: boolean }
  | { readonly kind: 'drill'; readonly options: DrillOptions }
  | { readonly kind: 'verify-drill'; readonly file: string }
  | { readonly kind: 'kit'; readonly folder: string; readonly options: KitOptions }
  | { readonly kind: 'restore'; readonly folder: string; readonly options: RestoreOptions }
  | { readonly kind: 'join'; readonly locations: readonly string[]; readonly dealer: string | undefined }
  | { readonly kind: 'writer-key' }
  | { readonly kind: 'writer-list' }
  | { readonly kind: 'writer-add'; readonly file: string; readonly name: string }
  | { readonly kind: 'writer-remove'; readonly writer: string }
  | { readonly kind: 'writer-acknowledge'; readonly alarm: string }
  | {
      readonly kind: 'serve'
      readonly port: number | undefined
      readonly host: string
      readonly open: boolean
      readonly outside: OutsideWish
    }
  | { readonly kind: 'completion'; readonly shell: 'bash' | 'zsh' | 'fish' }
  | { readonly kind: 'complete-path'; readonly prefix: string }

const EXITS = `
Exit codes: 0 done; 1 failed; 2 not understood; 3 readable, but degraded (status, scrub, repair, location test);
4 not readable; 130 interrupted. Paths in the vault begin with /. The site is that of QUORATE_HOME (default ~/.quorate):
a running one is asked over its socket, else the command starts it for itself.`

const PARALLEL = 8
const WAIT_SECONDS = 10

/** The tree of commands; each action hands its wish over. */
export function createProgram(version: string, take: (wish: Wish, globals: Globals) => void): Command<[], { wait: number }> {
  const program = new Command('quorate')
    .description('Files as k-of-n fragments over several places. Nothing opens without a quorum.')
    .version(version, '-V', 'the version of this program')
    .option('--home <folder>', 'where this site keeps its database and keys (instead of QUORATE_HOME)')
    .option('--json', 'JSON on standard output, problems as JSON on standard error')
    .option('--progress', 'show progress also where standard error is no terminal')
    .option('--wait <seconds>', 'how long to wait while another command has the home to itself', seconds, WAIT_SECONDS)
    .option('--passphrase-file <file>', 'file with the passphrase of the signing keys (instead of QUORATE_PASSPHRASE_FILE)')
    .option('--ask-passphrase', 'ask for the passphrase at the keyboard')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXITS)
    .helpCommand(true)
    .showSuggestionAfterError(true)
  const wish = (one: Wish): void => take(one, program.opts())

  program
    .command('init')
    .description('make the vault; without locations it asks')
    .argument(
      '[locations...]',
      'folder:PATH, s3:https://ENDPOINT/BUCKET/PREFIX?region=REGION, azure:https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX?credentials=FILE, gcs:https://storage.googleapis.com/BUCKET/PREFIX?credentials=FILE, sftp:ssh://USER@HOST/PATH?key=FILE&hostKey=SHA256:..., or webdav:https://HOST/PATH?credentials=FILE',
    )
    .option('-k, --threshold <k>', 'how many locations must come together to open a file (default: the majority)', positive)
    .addOption(
      new Option('--layout <layout>', 'shared: every fragment is a share of the bytes; sealed: smaller fragments of sealed bytes').choices([
        'shared',
        'sealed',
      ] as const),
    )
    .option('--name <name>', 'what people call the vault')
    .option('--require-all', 'an upload waits for every location')
    .action((locations, { name, threshold, layout, requireAll }) =>
      wish({ kind: 'init', locations, options: { name, threshold, layout, requireAll: requireAll === true } }),
    )

  const location = program.command('location').description('the places outside our trust that keep the fragments')
  location
    .command('add')
    .description('add a location; change then fills it')
    .argument('<location>', 'folder:PATH, s3:URL, azure:URL, gcs:URL, sftp:URL or webdav:URL')
    .option('--label <label>', 'what people call it')
    .action((spec, { label }) => wish({ kind: 'add-location', spec, label }))
  location
    .command('remove')
    .description('leave locations: the others take over what they keep, then our names there are removed')
    .argument('<labels...>', 'label or id')
    .option('--refresh', 'renew all shares, so that what they may have kept is worthless')
    .option('--abandon', 'do not wait for one that does not answer')
    .option('--threshold <k>', 'with another threshold', positive)
    .option('--preview', 'only say what would happen')
    .option('--begin', 'begin it, and do not wait for its end')
    .action((labels, { refresh, abandon, threshold, ...options }) =>
      wish({
        kind: 'change',
        request: {
          leave: labels.map((one) => ({ location: one, ...(abandon === true ? { abandon: true } : {}) })),
          ...(refresh === true ? { refresh: 'shares' } : {}),
          ...(threshold === undefined ? {} : { threshold }),
        },
        options: changeOptions(options),
      }),
    )
  location
    .command('replace')
    .description('let a new location take the place of another, in one pass')
    .argument('<label>', 'label or id of the one that goes')
    .argument('<location>', 'the new one, as for location add')
    .option('--label <label>', 'what people call the new one')
    .option('--refresh', 'renew all shares, so that what the old one may have kept is worthless')
    .option('--preview', 'only say what would happen')
    .option('--begin', 'begin it, and do not wait for its end')
    .action((old, spec, { label, refresh, ...options }) =>
      wish({ kind: 'replace-location', old, spec, label, refresh: refresh === true, options: changeOptions(options) }),
    )
  location
    .command('leave-by')
    .description('leave a location before a date, when its contract ends; status warns when the date comes near')
    .argument('<label>', 'label or id')
    .argument('<date>', 'as 2027-03-31', date)
    .option('--preview', 'only say what would happen')
    .option('--begin', 'begin it, and do not wait for its end')
    .action((label, by, options) =>
      wish({ kind: 'change', request: { leave: [{ location: label, by }] }, options: changeOptions(options) }),
    )
  location
    .command('keep')
    .description('let a location stay that was to be left')
    .argument('<labels...>', 'label or id')
    .option('--begin', 'begin it, and do not wait for its end')
    .action((labels, options) => wish({ kind: 'change', request: { stay: labels }, options: changeOptions(options) }))
  location
    .command('list')
    .description('every location and how it is')
    .action(() => wish({ kind: 'list-locations' }))
  location
    .command('test')
    .description('try what a location promises; all of them when none is named')
    .argument('[labels...]', 'label or id')
    .action((named) => wish({ kind: 'test-locations', named }))

  program
    .command('put')
    .description('store files and folders; - is standard input')
    .argument('<names...>', 'SOURCE... and, last, a path in the vault; a slash at its end makes it a folder')
    .option('--if-absent', 'refuse to make a new version of a file that exists')
    .option('--parallel <n>', 'files at once', positive, PARALLEL)
    .option('--resume', 'go on with unfinished uploads of small files, too; those of 64 MiB and more always go on')
    .action((names, { ifAbsent, parallel, resume }) =>
      wish({ kind: 'put', names, options: { ifAbsent: ifAbsent === true, parallel, resume: resume === true } }),
    )
  program
    .command('uploads')
    .description('list unfinished uploads; put the same file again to go on with one')
    .option('--remove <ids...>', 'remove these, and what they wrote')
    .action(({ remove }) => wish({ kind: 'uploads', remove: remove ?? [] }))
  program
    .command('get')
    .description('fetch a file or folder')
    .argument('<path>', 'in the vault')
    .argument('[destination]', 'on this machine; - is standard output', '.')
    .option('-f, --force', 'replace what is there')
    .option('--version <n>', 'this version of the file', positive)
    .option('--parallel <n>', 'files at once', positive, PARALLEL)
    .action((from, to, { force, version, parallel }) =>
      wish({ kind: 'get', from, to, options: { force: force === true, version, parallel } }),
    )
  program
    .command('cat')
    .description('write a file, or a range of its bytes, to standard output')
    .argument('<path>')
    .option('--range <first-last>', 'both inclusive, as in HTTP; FIRST- and -LENGTH are ranges, too')
    .option('--version <n>', 'this version of the file', positive)
    .action((path, { range, version }) => wish({ kind: 'cat', path, range, version }))
  program
    .command('ls')
    .description('list a folder')
    .argument('[path]', 'in the vault', '/')
    .option('-l, --long', 'with size, redundancy, time and version')
    .option('-r, --recursive', 'with everything below')
    .action((path, { long, recursive }) => wish({ kind: 'ls', path, options: { long: long === true, recursive: recursive === true } }))
  for (const [name, kind, what] of [
    ['mv', 'move', 'move or rename'],
    ['cp', 'copy', 'copy'],
  ] as const) {
    program
      .command(name)
      .description(`${what} within the vault; moves no bytes`)
      .argument('<names...>', 'FROM... and, last, TO; into it when it is a folder')
      .option('-f, --force', 'replace a file that is there')
      .action((names, { force }) => wish({ kind, names, force: force === true }))
  }
  program
    .command('rm')
    .description('put files and folders into the trash')
    .argument('<paths...>')
    .option('-r, --recursive', 'folders with everything below')
    .option('--now', 'delete at every location at once, with all versions')
    .option('--version <n>', 'delete only this version, at once', positive)
    .action((paths, { recursive, version, now }) =>
      wish({ kind: 'rm', paths, options: { recursive: recursive === true, version, now: now === true } }),
    )
  program
    .command('versions')
    .description('list the versions of a file, or tell two of them apart')
    .argument('<path>')
    .option('--compare <a,b>', 'the facts of two versions side by side', pairOfVersions)
    .option('--restore <n>', 'make this version current again, as a new one', positive)
    .action((path, { compare, restore }) => wish({ kind: 'versions', path, options: { compare, restore } }))
  addPastCommands(program, wish)
  addAuditCommands(program, wish)
  addAlarmCommands(program, wish)
  addGrantCommands(program, wish)
  addPeopleCommands(program, wish)

  program
    .command('status')
    .description('health of the vault and its locations, each asked now')
    .option('--no-check', 'what is known already, without asking')
    .action(({ check }) => wish({ kind: 'status', check }))
  program
    .command('scrub')
    .description('check every fragment of every location')
    .addOption(
      new Option('--depth <depth>', 'present: it is there; tags: every byte of every fragment is right; full: every file is read whole')
        .choices(['present', 'tags', 'full'] as const)
        .default('tags' as const),
    )
    .option('--location <label>', 'only this location')
    .action(({ depth, location: only }) => wish({ kind: 'scrub', depth, location: only }))
  healthCommands(program, location, wish)
  program
    .command('repair')
    .description('write again what is lost, corrupt or pending')
    .argument('[path]', 'only this file or folder')
    .action((path) => wish({ kind: 'repair', path }))
  const change = program
    .command('change')
    .description('bring everything into the wanted shape: threshold, layout, the locations that there are')
    .option('-k, --threshold <k>', 'how many locations must come together to open a file', positive)
    .addOption(new Option('--layout <layout>', 'as for init').choices(['shared', 'sealed'] as const))
    .option('--preview', 'only say what would happen')
    .option('--begin', 'begin it, and do not wait for its end')
    .action(({ threshold, layout, ...options }) =>
      wish({
        kind: 'change',
        request: { ...(threshold === undefined ? {} : { threshold }), ...(layout === undefined ? {} : { layout }) },
        options: changeOptions(options),
      }),
    )
  change
    .command('status')
    .description('how far it is, what it waits for, and what is mixed')
    .action(() => wish({ kind: 'change-status' }))
  for (const [name, state, what] of [
    ['pause', 'paused', 'stop for a while, also over restarts'],
    ['resume', 'running', 'go on after a pause or a cancellation'],
    ['cancel', 'cancelled', 'stop; what is changed stays changed, and going back is another change'],
  ] as const) {
    change
      .command(name)
      .description(what)
      .action(() => wish({ kind: 'steer-change', state }))
  }
  change
    .command('throttle')
    .description('write no faster than this, from now on')
    .argument('<rate>', 'bytes a second as 500k, 10M or 1G, or off')
    .action((rate) => wish({ kind: 'throttle-change', rate }))
  program
    .command('refresh')
    .description('new shares of everything after a suspected leak, so that old fragments are worthless')
    .option('--keys', 'deal everything anew under new keys, not the shares alone')
    .option('--preview', 'only say what would happen')
    .option('--begin', 'begin it, and do not wait for its end')
    .action(({ keys, ...options }) =>
      wish({ kind: 'change', request: { refresh: keys === true ? 'keys' : 'shares' }, options: changeOptions(options) }),
    )
  program
    .command('import')
    .description('adopt the files of a folder or bucket into the vault; goes on where it was interrupted, and only reads the source')
    .argument('<place>', 'folder:PATH, or s3:URL of a bucket with plain files')
    .argument('<path>', 'folder of the vault that takes them')
    .option('--check', 'also read files of equal size and time, and compare them')
    .option('--preview', 'only count what lies there')
    .action((place, path, { check, preview }) => wish({ kind: 'import', place, path, check: check === true, preview: preview === true }))
  const drill = program
    .command('drill')
    .description('try whether the vault comes back: random files, each location blocked in turn, a signed report')
    .option('--by <name>', 'who stands by; twice', collect, [])
    .option('--files <n>', 'how many files are drawn', positive, 10)
    .option('--block <label>', 'only this location is blocked (default: each in turn)')
    .option('--out <folder>', 'where the report is written', '.')
    .action(({ by, files, block, out }) => wish({ kind: 'drill', options: { people: by, files, block, out } }))
  drill
    .command('verify')
    .description('whether a report is genuine and of this vault')
    .argument('<file>', 'the .json of a report')
    .action((file) => wish({ kind: 'verify-drill', file }))
  program
    .command('kit')
    .description('write a recovery kit: programs and pages that give files back, a sheet to print, secrets only sealed')
    .argument('<folder>', 'new or empty')
    .option('--officer <name=recipient>', 'who may open the secrets, with an age recipient; may be repeated', collect, [])
    .option('--credentials', 'put the access keys of the locations in, sealed to the officers')
    .option('--signing-keys', 'put the signing keys of the site in, sealed to the officers')
    .action((folder, { officer, credentials, signingKeys }) =>
      wish({ kind: 'kit', folder, options: { officers: officer, credentials: credentials === true, signingKeys: signingKeys === true } }),
    )
  program
    .command('restore')
    .description('a site on this machine from a recovery kit, into an empty home')
    .argument('<kit>', 'folder of the kit')
    .argument('[places...]', 'where locations are now: LABEL=folder:PATH or LABEL=s3:URL; LABEL=none leaves one out')
    .option('--identity <file>', 'age identity of an officer, which opens the secrets; may be repeated', collect, [])
    .action((folder, places, { identity }) => wish({ kind: 'restore', folder, options: { places, identities: identity } }))
  program
    .command('recover')
    .description('rebuild a lost home from the locations of its vault')
    .argument(
      '<locations...>',
      'at least k of its places, as for init; with a new, empty one for a place that is gone name all the others, too',
    )
    .action((locations) => wish({ kind: 'recover', locations }))
  program
    .command('join')
    .description('take part in a vault that another site made; it must have added the key of this one (quorate writer add)')
    .argument('<locations...>', 'its places, as this site reaches them; at least k of them')
    .option('--dealer <fingerprint>', 'that the vault must have, by its recovery sheet')
    .action((locations, { dealer }) => wish({ kind: 'join', locations, dealer }))
  const writer = program.command('writer').description('the sites that may write to the vault')
  writer
    .command('key')
    .description('print the public key of this site as one line, for another site to add')
    .action(() => wish({ kind: 'writer-key' }))
  writer
    .command('add')
    .description('let another site write to the vault')
    .argument('<file>', 'with the line that `quorate writer key` printed there; - is standard input')
    .requiredOption('--name <name>', 'what people call the site')
    .action((file, { name }) => wish({ kind: 'writer-add', file, name }))
  writer
    .command('list')
    .description('who may write, and who might once')
    .action(() => wish({ kind: 'writer-list' }))
  writer
    .command('remove')
    .description('take a writer off the list, for good')
    .argument('<writer>', 'name, fingerprint or its first digits')
    .action((which) => wish({ kind: 'writer-remove', writer: which }))
  writer
    .command('acknowledge')
    .description('say that a person has seen an alarm about two histories of the vault')
    .argument('<alarm>', 'its id, from `quorate writer list`')
    .action((alarm) => wish({ kind: 'writer-acknowledge', alarm }))
  program
    .command('serve')
    .description('run the site until it is stopped, with its page on localhost, and for others by HTTPS where a public address is given')
    .option('--port <port>', 'of the page on localhost: default 7878, or the next free one', port)
    .option('--host <host>', 'of the page on localhost: loopback only', 'localhost')
    .option('--open', 'open the page in a browser')
    .option('--public-url <url>', 'how others reach the site: https://vault.hospital.example; also QUORATE_PUBLIC_URL')
    .option('--listen <addresses>', 'where to listen for them, with commas between: 0.0.0.0:443 (default: all addresses, port of the URL)')
    .option('--certificate <file>', 'PEM, the one of the site first; followed while the site runs. Without one the site makes its own')
    .option('--certificate-key <file>', 'PEM, without a passphrase')
    .option('--trusted-proxy <addresses>', 'a proxy does TLS: believe its X-Forwarded-* or Forwarded headers from these addresses alone')
    .option('--redirect-http <address>', 'answer plain HTTP there with the way to HTTPS, such as :80')
    .option('--tls12', 'also TLS 1.2, for browsers that cannot do 1.3')
    .addHelpText('after', '\nMore: docs/operate/https.md')
    .action(({ port: wanted, host, open, ...outside }) => wish({ kind: 'serve', port: wanted, host, open: open === true, outside }))
  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish'] as const))
    .addHelpText('after', '\nFor example, in ~/.bashrc: source <(quorate completion bash)')
    .action((shell) => wish({ kind: 'completion', shell }))
  program
    .command('complete-path', { hidden: true })
    .argument('<prefix>')
    .action((prefix) => wish({ kind: 'complete-path', prefix }))
  return program
}

type AnyCommand = Pick<Command, 'command'>

/** What is set in parts: a command with neither action nor options shows. */
function healthCommands(program: AnyCommand, location: AnyCommand, wish: (one: Wish) => void): void {
  location
    .command('describe')
    .description('say who runs a location, where, and what it costs; nothing of it is looked up or sent anywhere')
    .argument('<label>', 'label or id')
    .option('--provider <name>', 'who runs it; locations of one provider may fail, or be opened, together')
    .option('--region <name>')
    .option('--jurisdiction <code>', 'whose courts can order it opened: DE, US, ...')
    .option('--position <degrees>', 'where it stands, north and east, for the map: 47.07,15.44', position)
    .option('--availability <part>', 'part of the time that it answers, such as 0.999', part)
    .option('--durability <part>', 'chance that it keeps what it has for a year, such as 0.9999', part)
    .option('--currency <code>', 'of the prices: EUR, USD, ...')
    .option('--per-gib-month <price>', 'keeping one GiB for a month', amount)
    .option('--per-gib-out <price>', 'reading one GiB from it', amount)
    .option('--per-10k-puts <price>', 'ten thousand writing requests', amount)
    .option('--per-10k-gets <price>', 'ten thousand reading requests', amount)
    .option('--clear', 'forget what was said before')
    .action((named, options) => wish({ kind: 'describe-location', named, options: { ...options, clear: options.clear === true } }))
  const health = program
    .command('health')
    .description('schedule of checking, what is to be repaired, what the locations did, and how it was')
    .option('--days <n>', 'of history', positive, 30)
    .action(({ days }) => wish({ kind: 'health', days }))
  health
    .command('schedule')
    .description('what is checked when, how fast, and whether damage is repaired by itself; without options it shows')
    .option('--present <span>', 'everything is there: once in 12h, 30d, or so many hours; off switches it off', period)
    .option('--tags <span>', 'every byte of every fragment is right: once in so long; or off', period)
    .option('--full <span>', 'every file is read whole: once in so long; or off', period)
    .option('--rate <mib>', 'checks read at most so many MiB a second', amount)
    .option('--share <part>', 'part of the time that checks may be at work, such as 0.25', part)
    .option('--pause', 'no scheduled check until --resume')
    .option('--resume', 'checks go on where they stopped')
    .addOption(new Option('--auto-repair <state>', 'damage is repaired by itself').choices(['on', 'off'] as const))
    .option('--repair-delay <seconds>', 'damage is gathered for so long first; files without redundancy never wait', seconds)
    .action((options) => wish({ kind: 'health-schedule', options }))
  program
    .command('plan')
    .description(
      'compare other choices of locations, threshold and layout: cost, availability, loss, who could read together; --take makes the vault so',
    )
    .option('--candidates <file>', 'JSON of locations that are only thought of, instead of those of the vault')
    .option('--with <file>', 'the same, beside those of the vault')
    .option('--size <size>', 'bytes of all files, such as 20TiB (default: what the vault holds)', bytes)
    .option('--files <n>', 'how many files that is', positive)
    .option('-k, --threshold <k>', 'only this threshold', positive)
    .option('-n, --count <n>', 'only so many locations', positive)
    .addOption(new Option('--layout <layout>', 'only this layout').choices(['shared', 'sealed'] as const))
    .option('--read-share <part>', 'part of all bytes that people read in a month (default 0.1)', amount)
    .option('--repair-days <days>', 'from the loss of a location until it is filled again (default 14)', amount)
    .option('--want-availability <part>', 'at least, such as 0.9999', part)
    .option('--want-loss <chance>', 'at most, in a year, such as 1e-6', chance)
    .option('--want-providers <n>', 'that would have to work together to read anything', positive)
    .option('--want-jurisdictions <n>', 'the same of courts', positive)
    .option('--want-spare <n>', 'locations that may be lost at once', positive)
    .option('--all', 'also choices that others beat in everything')
    .option('--take <choice>', 'make the vault what this choice says, such as 2-shared-1.3.4: shows what it takes, asks, begins')
    .option('--preview', 'with --take: only say what would happen')
    .option('--begin', 'with --take: begin it, and do not wait for its end')
    .option('-y, --yes', 'with --take: do not ask')
    .action(({ all, preview, begin, yes, ...options }) =>
      wish({
        kind: 'plan',
        options: { ...options, all: all === true, preview: preview === true, begin: begin === true, yes: yes === true },
      }),
    )
}

const UNITS = ['', 'K', 'M', 'G', 'T', 'P']

/** `20TiB`, `500 GB`, `1e12`. */
function bytes(text: string): number {
  const found = /^(\d+(?:\.\d+)?(?:e\d{1,2})?) ?(?:([KMGTP])(i?)B?|B)?$/i.exec(text)
  const value =
    Number(found?.[1]) * (found?.[3] === '' || found?.[3] === undefined ? 1000 : 1024) ** UNITS.indexOf(found?.[2]?.toUpperCase() ?? '')
  if (found === null || !(value <= 1e18)) throw new InvalidArgumentError('It must be a size, such as 500GB or 20TiB.')
  return Math.round(value)
}

function chance(text: string): number {
  const value = Number(text)
  if (!/^\d(?:\.\d+)?(?:e-\d{1,2})?$/.test(text) || value > 1) throw new InvalidArgumentError('It must be a chance, such as 0.001 or 1e-6.')
  return value
}

function position(text: string): { readonly latitude: number; readonly longitude: number } {
  const match = /^(-?\d{1,2}(?:\.\d+)?),\s*(-?\d{1,3}(?:\.\d+)?)$/.exec(text)
  const [latitude, longitude] = [Number(match?.[1]), Number(match?.[2])]
  if (match === null || Math.abs(latitude) > 90 || Math.abs(longitude) > 180)
    throw new InvalidArgumentError('It must be degrees, like 47.07,15.44.')
  return { latitude, longitude }
}

function part(text: string): number {
  const value = Number(text)
  if (!/^(?:0?\.\d+|[01](?:\.0+)?)$/.test(text)) throw new InvalidArgumentError('It must be a number from 0 to 1.')
  return value
}

function amount(text: string): number {
  const value = Number(text)
  if (!/^\d+(?:\.\d+)?$/.test(text) || value > 1e6) throw new InvalidArgumentError('It must be a number from 0.')
  return value
}

/** Hours: `12`, `12h`, `30d`, `"30 days"`. */
function period(text: string): number | 'off' {
  if (text === 'off') return 'off'
  const found = /^(\d+(?:\.\d+)?) ?(?:(h|hours?)|(d|days?))?$/.exec(text)
  const value = Number(found?.[1]) * (found?.[3] === undefined ? 1 : 24)
  if (!(value >= 1 && value <= 87_600))
    throw new InvalidArgumentError('It must be a span such as 12h or 30d, from 1 hour to 10 years, or off.')
  return value
}

function changeOptions({ preview, begin }: { readonly preview?: true; readonly begin?: true }): ChangeOptions {
  return { preview: preview === true, begin: begin === true }
}

/** The end of that day, UTC. */
function date(text: string): string {
  const end = new Date(`${text}T23:59:59Z`)
  // The 31st of February would be read as a day in March.
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(end.getTime()) || end.toISOString().slice(0, 10) !== text)
    throw new InvalidArgumentError('It must be a date as 2027-03-31.')
  return `${text}T23:59:59Z`
}

function positive(text: string): number {
  const value = Number(text)
  if (!/^\d{1,9}$/.test(text) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1.')
  return value
}

function port(text: string): number {
  const value = Number(text)
  if (!/^\d{1,5}$/.test(text) || value > 65_535) throw new InvalidArgumentError('It must be a port number.')
  return value
}

function seconds(text: string): number {
  const value = Number(text)
  if (!/^\d+(?:\.\d+)?$/.test(text) || value > 86_400) throw new InvalidArgumentError('It must be a number of seconds.')
  return value
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}
