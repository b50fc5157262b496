// npm run bench [-- [--quick] NAME...]: every bench, or those named, its contenders in turns on the same data; a table at the end, and one line of
// JSON per row in bench/results. --quick takes small files and few rounds: to see that it runs, not for figures.
import { appendFileSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { commit, load, machine } from './machine.ts'
import { type Row, table } from './table.ts'
import { makeWorkplace, type Workplace } from './workplace.ts'

type Bench = (emit: (row: Record<string, unknown>) => void, workplace: Workplace) => Promise<void>

/** In this order; each file exports `run`. */
const BENCHES: Readonly<Record<string, () => Promise<{ run: Bench }>>> = {
  core: () => import('./core.ts'),
  'whole-file': () => import('./whole-file.ts'),
  'random-reads': () => import('./random-reads.ts'),
  memory: () => import('./memory.ts'),
  's3-driver': () => import('./s3-driver.ts'),
  'azure-driver': () => import('./azure-driver.ts'),
  's3-vault': () => import('./s3-vault.ts'),
  database: () => import('./database.ts'),
  upkeep: () => import('./upkeep.ts'),
  'sftp-driver': () => import('./sftp-driver.ts'),
  audit: () => import('./audit.ts'),
  api: () => import('./api.ts'),
}

const root = resolve(import.meta.dirname, '..')
const quick = process.argv.includes('--quick')
const named = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const unknown = [
  ...named.filter((name) => !(name in BENCHES)),
  ...process.argv.filter((word) => word.startsWith('--') && word !== '--quick'),
]

if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(' ')}. There are: ${Object.keys(BENCHES).join(' ')}, and --quick`)
  process.exitCode = 2
} else process.exitCode = await main()

async function main(): Promise<number> {
  const begun = new Date()
  const about = { at: begun.toISOString(), ...commit(root), quick, machine: machine() }
  const file = join(root, 'bench', 'results', `${about.at.slice(0, 10)}.jsonl`)
  mkdirSync(join(root, 'bench', 'results'), { recursive: true })
  const rows: Row[] = []
  const failed: string[] = []
  await using workplace = await makeWorkplace({ quick })
  for (const [name, open] of Object.entries(BENCHES)) {
    if (named.length > 0 && !named.includes(name)) continue
    console.error(`${name} ...`)
    const loadBefore = load()
    const emit = (row: Record<string, unknown>): void => {
      // Small files tell nothing of a goal.
      const { met, ...rest } = row
      const said = quick || met === undefined ? rest : row
      rows.push(said)
      appendFileSync(file, `${JSON.stringify({ ...said, ...about, loadBefore })}\n`)
      console.error(`  ${JSON.stringify(said)}`)
    }
    try {
      const { run } = await open()
      await run(emit, workplace)
    } catch (error) {
      failed.push(name)
      console.error(error)
    }
  }
  console.log(table(rows))
  for (const line of workplace.missing) console.log(line)
  for (const name of failed) console.log(`${name} failed, see above`)
  const missed = rows.filter(({ met }) => met === false)
  if (missed.length > 0) console.log(`Goals missed: ${missed.length}`)
  return failed.length === 0 ? 0 : 1
}
