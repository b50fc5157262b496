// One large file to three folders, 2-of-3: ours against copying it three times, and against Debian's gfsplit. Of interest is CPU time,
// which is what a busy gateway pays; wall time depends on the disk.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { inRounds, ratio, spread } from './figures.ts'
import { find, notFound, run as runCommand } from './processes.ts'
import { engine, quorate } from './programs.ts'
import type { Workplace } from './workplace.ts'

interface Result {
  readonly cpuS: number
  readonly wallS: number
  readonly startCpuS?: number
}

interface Contender {
  readonly name: string
  /** Compared with `cp` x 3, or with `cp` x 3 and fsync. */
  readonly durable: boolean
  readonly goal?: number
  run(file: string, out: string): Promise<Result>
}

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  const bytes = workplace.quick ? 64 * 2 ** 20 : 2 ** 30
  const rounds = workplace.quick ? 2 : 5
  await workplace.requireRoom(4 * bytes)
  const file = await workplace.randomFile(bytes)
  const contenders = allContenders(workplace)
  const results = await inRounds(contenders, rounds, async (contender) => {
    const out = await workplace.folder()
    try {
      return await contender.run(file, out)
    } finally {
      await workplace.remove(out)
    }
  })
  for (const contender of contenders) {
    const mine = results.get(contender)!
    const copies = results.get(contenders.find(({ name }) => name === (contender.durable ? COPIES_DURABLE : COPIES))!)!
    const ofCopies = ratio(
      mine.map(({ cpuS }) => cpuS),
      copies.map(({ cpuS }) => cpuS),
    )
    const starts = mine.flatMap(({ startCpuS }) => (startCpuS === undefined ? [] : [startCpuS]))
    emit({
      bench: 'whole-file',
      contender: contender.name,
      bytes,
      rounds,
      cpuS: spread(mine.map(({ cpuS }) => cpuS)),
      wallS: spread(mine.map(({ wallS }) => wallS)),
      ...(starts.length > 0 ? { startCpuS: spread(starts) } : {}),
      cpuOfCopies: ofCopies,
      ...(contender.goal === undefined ? {} : { goal: contender.goal, met: ofCopies <= contender.goal }),
    })
  }
  const gfsplit = contenders.find(({ name }) => name === GFSPLIT)
  if (gfsplit === undefined) return
  for (const name of [OURS, OURS_WITHOUT_HASH]) {
    const ours = results.get(contenders.find((contender) => contender.name === name)!)!
    const times = ratio(
      results.get(gfsplit)!.map(({ cpuS }) => cpuS),
      ours.map(({ cpuS }) => cpuS),
    )
    emit({ bench: 'whole-file', contender: `gfsplit over ${name}`, bytes, rounds, cpuOfOurs: times, goal: 4, met: times >= 4 })
  }
}

const OURS = 'quorate'
const OURS_WITHOUT_HASH = 'quorate, without content hash'
const COPIES = 'cp x 3'
const COPIES_DURABLE = 'cp x 3, durable'
const GFSPLIT = 'gfsplit -n 2 -m 3'

function allContenders(workplace: Workplace): Contender[] {
  const ours = (name: string, options: { hash?: boolean; durable?: boolean; threads?: number; goal?: number }): Contender => {
    const { hash = true, durable = false, threads = 0, goal } = options
    return {
      name,
      durable,
      ...(goal === undefined ? {} : { goal }),
      run: (file, out) =>
        engine({ kind: 'write', file, folders: ['a', 'b', 'c'].map((place) => join(out, place)), hash, durable, threads }),
    }
  }
  const all: Contender[] = [
    ours(OURS_WITHOUT_HASH, { hash: false, goal: 1.6 }),
    ours(OURS, { goal: 2.4 }),
    ours('quorate, one more thread', { threads: 1 }),
    ours('quorate, durable', { durable: true }),
    {
      name: 'bin/quorate put (durable)',
      durable: true,
      run: async (file, out) => {
        const home = join(out, 'home')
        const folders = ['a', 'b', 'c'].map((place) => join(out, place))
        for (const folder of folders) await mkdir(folder)
        await quorate(home, ['init', '--threshold', '2', ...folders.map((folder) => `folder:${folder}`)])
        const start = await quorate(home, ['ls', '/'])
        const cost = await quorate(home, ['put', file, '/file'])
        return { wallS: cost.wallS, cpuS: cost.cpuS - start.cpuS, startCpuS: start.cpuS }
      },
    },
    {
      name: COPIES,
      durable: false,
      run: (file, out) => runCommand({ program: 'bash', args: ['-c', 'for i in 1 2 3; do cp "$0" "$1/$i" || exit; done', file, out] }),
    },
    {
      name: COPIES_DURABLE,
      durable: true,
      run: (file, out) =>
        runCommand({ program: 'bash', args: ['-c', 'for i in 1 2 3; do cp "$0" "$1/$i" && sync "$1/$i" || exit; done', file, out] }),
    },
  ]
  if (find('gfsplit') === undefined) workplace.miss(notFound('gfsplit', 'libgfshare-bin'))
  else
    all.push({
      name: GFSPLIT,
      durable: false,
      run: (file, out) => runCommand({ program: 'gfsplit', args: ['-n', '2', '-m', '3', file, join(out, 'share')] }),
    })
  return all
}
