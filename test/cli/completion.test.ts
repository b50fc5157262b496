// Tab completion: every command and option in every shell, and what a real bash makes of it.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { inside, scratch } from './support.ts'

const COMMANDS = [
  'init',
  'location',
  'put',
  'get',
  'cat',
  'change',
  'ls',
  'mv',
  'cp',
  'rm',
  'versions',
  'status',
  'uploads',
  'scrub',
  'health',
  'people',
  'plan',
  'repair',
  'recover',
  'import',
  'drill',
  'kit',
  'restore',
  'refresh',
  'join',
  'writer',
  'serve',
  'token',
  'trash',
  'keep',
  'purge',
  'restore-to',
  'deletion',
  'audit',
  'verify-audit',
  'alarms',
  'breach',
  'find',
  'grant',
  'completion',
]

function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).error === undefined
}

test('each script names every command and its options, and needs no site', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  for (const [shell, syntax] of [
    ['bash', ['-n']],
    ['zsh', ['-n']],
    ['fish', ['--no-execute']],
  ] as const) {
    const { code, out } = await cli.quorate(['completion', shell])
    assert.equal(code, 0)
    for (const word of [...COMMANDS, 'threshold', 'require-all', 'range', 'depth', 'if-absent', 'json', 'complete-path'])
      assert.ok(out.includes(word), `${shell} ${word}`)
    if (!has(shell)) continue
    const script = join(at.folder, shell)
    await writeFile(script, out)
    execFileSync(shell, [...syntax, script])
  }
  assert.deepEqual(cli.connects, [])
})

test('bash completes commands, options, values, folders here and paths in the vault', { skip: !has('bash') }, async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  await writeFile(join(at.folder, 'script'), (await cli.quorate(['completion', 'bash'])).out)
  await mkdir(join(at.folder, 'bin'))
  await writeFile(join(at.folder, 'bin/quorate'), '#!/bin/sh\n[ "$1" = complete-path ] && printf "/mri/\\n/my file\\n"\n')
  await chmod(join(at.folder, 'bin/quorate'), 0o755)
  await writeFile(join(at.folder, 'scan.dcm'), '')
  const complete = (...words: string[]): string[] => {
    const quoted = words.map((word) => `'${word}'`).join(' ')
    const line = `source ./script; COMP_WORDS=(quorate ${quoted}); COMP_CWORD=${words.length}; _quorate; printf '%s\\n' "\${COMPREPLY[@]}"`
    const env = { PATH: `${join(at.folder, 'bin')}${delimiter}${process.env['PATH']}` }
    const out = execFileSync('bash', ['--norc', '-c', line], { cwd: at.folder, env, stdio: ['ignore', 'pipe', 'ignore'] })
    return out
      .toString()
      .split('\n')
      .filter((one) => one !== '')
  }
  assert.deepEqual(complete('').toSorted(), COMMANDS.toSorted())
  assert.deepEqual(complete('loc'), ['location'])
  assert.deepEqual(complete('location', ''), ['add', 'remove', 'replace', 'leave-by', 'keep', 'list', 'test', 'describe'])
  assert.deepEqual(complete('change', ''), ['status', 'pause', 'resume', 'cancel', 'throttle'])
  assert.deepEqual(complete('health', ''), ['schedule'])
  assert.deepEqual(complete('health', 'schedule', '--auto-repair', 'o'), ['on', 'off'])
  assert.deepEqual(complete('--json', 'location', 'a'), ['add'])
  assert.deepEqual(complete('--home', 'x', 'sta'), ['status'])
  assert.deepEqual(complete('put', '--if'), ['--if-absent'])
  assert.deepEqual(complete('ls', '--js'), ['--json'])
  assert.deepEqual(complete('scrub', '--depth', ''), ['present', 'tags', 'full'])
  assert.deepEqual(complete('completion', 'f'), ['fish'])
  assert.deepEqual(complete('put', 'sca'), ['scan.dcm'])
  assert.deepEqual(complete('ls', '/m'), ['/mri/', '/my file'])
  assert.deepEqual(complete('ls', 'sc'), [])
})

test('paths of the vault are those of the running site, and nothing else', async () => {
  await using at = await scratch()
  const cli = inside(at.folder)
  cli.door.put('/mri/one', Buffer.from(''))
  cli.door.put('/mri/two', Buffer.from(''))
  cli.door.put('/my\nfile', Buffer.from(''))
  const answers = async (prefix: string): Promise<string> => (await cli.quorate(['complete-path', prefix])).out
  assert.equal(await answers('/m'), '/mri/\n')
  assert.equal(await answers('/mri/'), '/mri/one\n/mri/two\n')
  assert.equal(await answers('/mri/t'), '/mri/two\n')
  assert.equal(await answers('/absent/'), '')
  assert.equal(await answers('relative'), '')
  assert.ok(cli.connects.every((request) => request.onlyRunning === true))
})
