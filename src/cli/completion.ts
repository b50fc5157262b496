// Tab completion: commands and options by themselves, paths in the vault by asking the running site.
import type { Command } from '@commander-js/extra-typings'
import type { Host } from './host.ts'

interface Row {
  readonly words: string
  readonly summary: string
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[]
  readonly options: readonly {
    readonly names: readonly string[]
    readonly summary: string
    readonly takesValue: boolean
    readonly choices: readonly string[]
  }[]
}

/** Commands whose arguments are paths in the vault, and those where both kinds of path make sense. */
const VAULT_ONLY = ['cat', 'ls', 'mv', 'cp', 'rm', 'versions', 'repair', 'keep', 'restore-to']
const BOTH = ['get', 'put']
const ANSWERS_MAX = 200
const PATIENCE_MS = 1000

export function completionScript(program: Command, shell: 'bash' | 'zsh' | 'fish'): string {
  const rows = [rowOf(program, ''), ...program.commands.filter(shown).flatMap((command) => rowsOf(command as Command, ''))]
  return { bash, zsh, fish }[shell](rows)
}

/** Prints the paths of the running site that begin with a prefix, one a line; nothing when no site runs. */
export async function completePath(host: Host, request: { readonly home: string | undefined; readonly prefix: string }): Promise<number> {
  const { prefix } = request
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (!folder.startsWith('/')) return 0
  try {
    const connection = await host.connect({
      home: request.home,
      passphrase: undefined,
      waitMs: 0,
      command: 'complete-path',
      onlyRunning: true,
    })
    try {
      const path = folder === '/' ? '/' : folder.slice(0, -1)
      const { entries } = await connection.client.list({ path, limit: 1000 }, { signal: AbortSignal.timeout(PATIENCE_MS) })
      const found = entries.filter((entry) => entry.path.startsWith(prefix) && !/[\p{Cc}]/u.test(entry.path)).slice(0, ANSWERS_MAX)
      for (const entry of found) await host.output.write(`${entry.path}${entry.kind === 'folder' ? '/' : ''}\n`)
    } finally {
      await connection.close()
    }
  } catch {
    // Completion never disturbs the line that is being typed.
  }
  return 0
}

function rowsOf(command: Command, above: string): Row[] {
  const words = `${above}${command.name()}`
  return [rowOf(command, words), ...command.commands.filter(shown).flatMap((below) => rowsOf(below as Command, `${words} `))]
}

function rowOf(command: Command, words: string): Row {
  return {
    words,
    summary: command.description(),
    subcommands: command.commands.filter(shown).map((below) => ({ name: below.name(), summary: below.description() })),
    options: command.options.map((option) => ({
      names: [option.short, option.long].filter((name) => name !== undefined),
      summary: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    })),
  }
}

function shown(command: { name(): string }): boolean {
  return command.name() !== 'complete-path'
}

function optionsOf(rows: readonly Row[], row: Row): Row['options'] {
  return row.words === '' ? row.options : [...row.options, ...rows[0]!.options]
}

const SHELLS = ['bash', 'zsh', 'fish']

function bash(rows: readonly Row[]): string {
  const cases = rows.map((row) => {
    const options = optionsOf(rows, row).flatMap((option) => option.names)
    const words = [...row.subcommands.map((one) => one.name), ...(row.words === 'completion' ? SHELLS : [])]
    return `    ${quoted(row.words)}) options=${quoted([...options, '--help'].join(' '))}; words=${quoted(words.join(' '))} ;;`
  })
  const groups = rows.filter((row) => row.words !== '' && row.subcommands.length > 0).map((row) => row.words)
  const values = [...new Set(rows.flatMap((row) => row.options.filter((option) => option.takesValue).flatMap((option) => option.names)))]
  const choices = rows.flatMap((row) => row.options.filter((option) => option.choices.length > 0))
  return `# Completion of quorate for bash.  source <(quorate completion bash)
_quorate() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= word options words i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${values.join('|')}) ((i++)) ;;
      -*) ;;
      *)
        if [[ -z $command ]]; then command=$word
        elif [[ ${groups.map((group) => `$command == ${group}`).join(' || ')} ]]; then command="$command $word"; break
        else break; fi ;;
    esac
  done
  case $previous in
${choices.map((option) => `    ${option.names.join('|')}) COMPREPLY=($(compgen -W ${quoted(option.choices.join(' '))} -- "$current")); return ;;`).join('\n')}
  esac
  case $command in
${cases.join('\n')}
    *) options=--help; words= ;;
  esac
  if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$current")); return; fi
  if [[ -n $words ]]; then COMPREPLY=($(compgen -W "$words" -- "$current")); return; fi
  COMPREPLY=()
  compopt -o filenames 2>/dev/null
  case $command in
    ${[...VAULT_ONLY, ...BOTH].join('|')})
      if [[ $current == /* ]]; then
        local IFS=$'\\n'
        COMPREPLY=($(\${COMP_WORDS[0]} complete-path -- "$current" 2>/dev/null))
        [[ \${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
      fi ;;
  esac
  case $command in
    ${VAULT_ONLY.join('|')}) ;;
    *) local IFS=$'\\n'; COMPREPLY+=($(compgen -f -- "$current")) ;;
  esac
}
complete -F _quorate quorate
`
}

function zsh(rows: readonly Row[]): string {
  const cases = rows.map((row) => {
    const options = optionsOf(rows, row).map((option) => quoted(`${option.names.at(-1)!}:${option.summary}`))
    const words = row.subcommands.map((one) => quoted(`${one.name}:${one.summary}`))
    const shells = row.words === 'completion' ? SHELLS.map(quoted) : []
    return `    ${quoted(row.words)}) options=(${options.join(' ')}); words_=(${[...words, ...shells].join(' ')}) ;;`
  })
  const groups = rows.filter((row) => row.words !== '' && row.subcommands.length > 0).map((row) => row.words)
  return `#compdef quorate
# Completion of quorate for zsh.  source <(quorate completion zsh)
_quorate() {
  local command= word
  local -a options words_ paths
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case $word in
      -*) ;;
      *)
        if [[ -z $command ]]; then command=$word
        elif [[ ${groups.map((group) => `$command == ${group}`).join(' || ')} ]]; then command="$command $word"; break
        else break; fi ;;
    esac
  done
  case $command in
${cases.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then _describe option options; return; fi
  if (( \${#words_} )); then _describe command words_; return; fi
  case $command in
    ${[...VAULT_ONLY, ...BOTH].join('|')})
      if [[ $PREFIX == /* ]]; then
        paths=("\${(@f)$(\${words[1]} complete-path -- "\${(Q)PREFIX}" 2>/dev/null)}")
        compadd -S '' -a paths
      fi ;;
  esac
  case $command in
    ${VAULT_ONLY.join('|')}) ;;
    *) _files ;;
  esac
}
compdef _quorate quorate
`
}

function fish(rows: readonly Row[]): string {
  const lines = ['# Completion of quorate for fish.  quorate completion fish | source', 'complete -c quorate -f']
  for (const row of rows) {
    const [first, second] = row.words.split(' ')
    const when =
      first === '' ? '' : `__fish_seen_subcommand_from ${first}${second === undefined ? '' : `; and __fish_seen_subcommand_from ${second}`}`
    const here = first === '' ? '__fish_use_subcommand' : when
    for (const one of row.subcommands) lines.push(`complete -c quorate -n ${quoted(here)} -a ${one.name} -d ${quoted(one.summary)}`)
    for (const option of row.options) {
      const flags = option.names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
      const values = option.choices.length > 0 ? ` -x -a ${quoted(option.choices.join(' '))}` : option.takesValue ? ' -r' : ''
      lines.push(`complete -c quorate ${when === '' ? '' : `-n ${quoted(when)} `}${flags.join(' ')}${values} -d ${quoted(option.summary)}`)
    }
  }
  const vault = [...VAULT_ONLY, ...BOTH].join(' ')
  lines.push(`complete -c quorate -n '__fish_seen_subcommand_from ${vault}' -a '(quorate complete-path -- (commandline -ct) 2>/dev/null)'`)
  lines.push(`complete -c quorate -n '__fish_seen_subcommand_from ${BOTH.join(' ')} init recover' -F`)
  lines.push(`complete -c quorate -n '__fish_seen_subcommand_from completion' -a '${SHELLS.join(' ')}'`)
  return `${lines.join('\n')}\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
